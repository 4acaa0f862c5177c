// The settings that somebody set, as the server takes them; knows nothing of VS Code.
//
// Defaults are not among them: an editor's settings win over the user's own file, so a default
// sent from here would undo what stands there.

/** What VS Code says of one setting; the fields that matter here. */
export interface Inspection {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

export type Settings = { [key: string]: unknown };

/** Settings by who can have written them: the server bounds what a workspace says by what its user does. */
export interface ScopedSettings {
  readonly user: Settings;
  readonly workspace: Settings;
}

/** What tells the server that settings come like this; no settings file can say so in its place. */
export const SCOPED_CAPABILITY = { "llm-lsp": { settingsByScope: true, offersModels: true } } as const;

/** Keys under `llm-lsp` that only this extension reads. */
const OWN = ["server.", "offerToLeaveOne"];

/** Give the server's keys among those that package.json declares, without `llm-lsp.`. */
export function serverKeys(groups: readonly { readonly properties: object }[]): string[] {
  return groups
    .flatMap((group) => Object.keys(group.properties))
    .map((name) => name.replace(/^llm-lsp\./, ""))
    .filter((key) => !OWN.some((own) => key.startsWith(own)));
}

/**
 * Return the settings that were set, as nested tables, the user's and the workspace's apart.
 *
 * In a workspace that is not trusted only the user's own count, whatever VS Code itself would let through.
 */
export function explicitSettings(
  keys: readonly string[],
  inspect: (key: string) => Inspection | undefined,
  isTrusted: boolean,
): ScopedSettings {
  const found = { user: {}, workspace: {} };
  for (const key of keys) {
    const said = inspect(key);
    const path = key.split(".");
    put(found.user, path, said?.globalValue);
    if (isTrusted) put(found.workspace, path, said?.workspaceFolderValue ?? said?.workspaceValue);
  }
  return found;
}

function put(into: Settings, path: readonly string[], value: unknown): void {
  const [first, ...rest] = path;
  if (first === undefined || value === undefined) return;
  if (rest.length === 0) into[first] = value;
  else put((into[first] ??= {}) as Settings, rest, value);
}
