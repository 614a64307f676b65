/** Addresses of ours that another system may call once. */
export interface Callbacks {
  /** Makes one; it works when this resolves. The address is a secret and nobody can tell it again; the key is none, and durable. */
  open(): Promise<{ readonly url: string; readonly key: string }>;
  /** The JSON that came with the call to one of these, also when that was before a restart. Rejects with the reason of `stop` when nothing has come until then. */
  arrived(keys: readonly string[], stop: AbortSignal): Promise<unknown>;
}
