/** What a browser does with cookies and redirects, of one person: nothing is followed unless asked to. */
export class Browser {
  readonly cookies = new Map<string, string>();
  readonly #home: string;

  constructor(home: string) {
    this.#home = home;
  }

  /** `to` may be a path of ours or a whole address; cookies go to our host only. */
  async get(to: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(to, { headers });
  }

  async post(to: string, form: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(to, { method: "POST", body: new URLSearchParams(form), headers });
  }

  /** Follows redirects, over GitHub too, to the page that is shown in the end. */
  async open(to: string): Promise<{ readonly response: Response; readonly address: string }> {
    let address = new URL(to, this.#home).href;
    for (let hop = 0; hop < 8; hop += 1) {
      const response = await this.get(address);
      const next = response.headers.get("location");
      if (next === null) return { response, address };
      address = new URL(next, address).href;
    }
    throw new Error(`The redirects from ${to} do not end`);
  }

  async #send(to: string, request: RequestInit): Promise<Response> {
    const address = new URL(to, this.#home);
    const isOurs = address.origin === this.#home;
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = { ...(isOurs && cookie !== "" ? { cookie } : {}), ...(request.headers as Record<string, string>) };
    const response = await fetch(address, { ...request, headers, redirect: "manual" });
    if (isOurs) for (const set of response.headers.getSetCookie()) this.#keep(set);
    return response;
  }

  #keep(set: string): void {
    const [pair = "", ...attributes] = set.split("; ");
    const name = pair.slice(0, pair.indexOf("="));
    if (attributes.includes("Max-Age=0")) this.cookies.delete(name);
    else this.cookies.set(name, pair.slice(name.length + 1));
  }
}
