// The settings that were set, in the form that the server expects; independent of VS Code.
//
// Without defaults: an editor's settings override the user's own file, so a default sent from here would undo what is
// set there.

/** The used fields of VS Code's information about a setting. */
export interface Inspection {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
  readonly workspaceFolderValue?: unknown;
}

export type Settings = { [key: string]: unknown };

/** Settings by source: the server limits what a workspace may set by the user's own settings. */
export interface ScopedSettings {
  readonly user: Settings;
  readonly workspace: Settings;
}

/** The capability that announces this form of settings to the server; no settings file can fake it. */
export const SCOPED_CAPABILITY = { "llm-lsp": { settingsByScope: true, offersModels: true } } as const;

/** Keys under `llm-lsp` that only this extension reads. */
const OWN = ["server.", "offerToLeaveOne"];

/** Return the server's keys among those that package.json declares, without `llm-lsp.`. */
export function serverKeys(groups: readonly { readonly properties: object }[]): string[] {
  return groups
    .flatMap((group) => Object.keys(group.properties))
    .map((name) => name.replace(/^llm-lsp\./, ""))
    .filter((key) => !OWN.some((own) => key.startsWith(own)));
}

/**
 * Return the settings that were set as nested tables, the user's and the workspace's separately.
 *
 * In an untrusted workspace only the user's own settings count, whatever VS Code itself would allow.
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
