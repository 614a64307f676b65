export default {
  testEnvironment: "node",
  extensionsToTreatAsEsm: [".ts"],
  transform: { "\\.ts$": "<rootDir>/test/support/strip-types.js" },
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  // Most tests wait for processes and disks, not for a core of their own.
  maxWorkers: "100%",
  // Generous: a busy machine is no failure, and waits in tests have deadlines of their own.
  testTimeout: 240_000,
  setupFilesAfterEnv: ["<rootDir>/test/support/setup.ts"],
};
