// Other extensions that show suggestions while typing; independent of VS Code.
//
// VS Code shows one suggestion at a time, whichever came first. With two extensions, both make calls, but only one
// suggestion is seen.

export interface Rival {
  readonly id: string;
  readonly name: string;
  /** The setting that switches its suggestions off, and its value; without one only its page can be shown. */
  readonly off?: readonly [setting: string, value: unknown];
}

export const RIVALS: readonly Rival[] = [
  { id: "github.copilot", name: "GitHub Copilot", off: ["github.copilot.enable", { "*": false }] },
  { id: "github.copilot-chat", name: "GitHub Copilot", off: ["github.copilot.enable", { "*": false }] },
  { id: "codeium.codeium", name: "Windsurf", off: ["codeium.enableConfig", { "*": false }] },
  { id: "continue.continue", name: "Continue", off: ["continue.enableTabAutocomplete", false] },
  { id: "ggml-org.llama-vscode", name: "llama-vscode", off: ["llama-vscode.enabled", false] },
  { id: "tabnine.tabnine-vscode", name: "Tabnine" },
  { id: "supermaven.supermaven", name: "Supermaven" },
  { id: "sourcegraph.cody-ai", name: "Cody" },
  { id: "amazonwebservices.amazon-q-vscode", name: "Amazon Q" },
  { id: "google.geminicodeassist", name: "Gemini Code Assist" },
  { id: "tabbyml.vscode-tabby", name: "Tabby" },
];

/** Return the first rival that is installed and not switched off. */
export function findRival(isInstalled: (id: string) => boolean, setting: (name: string) => unknown): Rival | undefined {
  return RIVALS.find((rival) => isInstalled(rival.id) && !isOff(rival, setting));
}

function isOff({ off }: Rival, setting: (name: string) => unknown): boolean {
  return off !== undefined && includes(setting(off[0]), off[1]);
}

/** Whether a setting contains the expected values, and possibly more: Copilot's has an entry per language. */
function includes(value: unknown, wanted: unknown): boolean {
  if (typeof wanted !== "object" || wanted === null) return value === wanted;
  if (typeof value !== "object" || value === null) return false;
  return Object.entries(wanted).every(([key, each]) => Reflect.get(value, key) === each);
}
