// API keys that the editor stores if the system has no keyring; independent of VS Code.

/** A key for one provider at one address: the server sends it nowhere else. */
export interface KeptKey {
  readonly provider: string;
  readonly address: string;
  readonly key: string;
}

/** The used part of VS Code's SecretStorage. */
export interface Secrets {
  get(name: string): PromiseLike<string | undefined>;
  store(name: string, value: string): PromiseLike<void>;
}

/** The message of `provider add` if it did not store the key. */
const KEPT_BY_EDITOR = "the editor keeps the key";
const NAME = "llm-lsp.keys";

/** Whether the program left storing the key to the editor. */
export function isLeftToEditor(stderr: string): boolean {
  return stderr.includes(KEPT_BY_EDITOR);
}

export async function keptKeys(secrets: Secrets): Promise<KeptKey[]> {
  try {
    const rows: unknown = JSON.parse((await secrets.get(NAME)) ?? "[]");
    return Array.isArray(rows) ? rows.filter(isKeptKey) : [];
  } catch {
    return [];
  }
}

/** Store a key, replacing an earlier one of the same provider. */
export async function keepKey(secrets: Secrets, kept: KeptKey): Promise<void> {
  const others = (await keptKeys(secrets)).filter(({ provider }) => provider !== kept.provider);
  await secrets.store(NAME, JSON.stringify([...others, kept]));
}

function isKeptKey(row: unknown): row is KeptKey {
  if (typeof row !== "object" || row === null) return false;
  return ["provider", "address", "key"].every((key) => typeof Reflect.get(row, key) === "string");
}
