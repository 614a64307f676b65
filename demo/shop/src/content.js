export const greeting = "Welcome to the shop";

export const goods = [
  { name: "Signal lamp", price: 1999 },
  { name: "Point lever", price: 4950 },
];
