// The offer to turn one off if two extensions show suggestions.

import { commands, ConfigurationTarget, type ExtensionContext, extensions, window, workspace } from "vscode";

import { SECTION } from "./client";
import { findRival, type Rival } from "./rivals";

const ANSWERED = "rivalsAnswered";

/** Make the offer once for each extension, unless the user wants no such offers. */
export async function offerToLeaveOne(context: ExtensionContext): Promise<void> {
  const settings = workspace.getConfiguration();
  if (!settings.get(`${SECTION}.enabled`) || !settings.get(`${SECTION}.offerToLeaveOne`)) return;
  const answered = context.globalState.get<string[]>(ANSWERED, []);
  const rival = findRival(
    (id) => !answered.includes(id) && extensions.getExtension(id) !== undefined,
    (name) => settings.get(name),
  );
  if (!rival) return;
  const leave = `Only ${rival.name}`;
  const choice = await window.showInformationMessage(
    `${rival.name} shows suggestions while you type, and so does llm-lsp. Both are asked, and you see one of them.`,
    "Only llm-lsp",
    leave,
    "Both",
  );
  if (choice === undefined) return; // closed without an answer: ask again in the next window
  await context.globalState.update(ANSWERED, [...answered, rival.id]);
  if (choice === "Only llm-lsp") await switchOff(rival);
  if (choice === leave) await settings.update(`${SECTION}.enabled`, false, ConfigurationTarget.Global);
}

async function switchOff({ id, off }: Rival): Promise<void> {
  if (!off) {
    await commands.executeCommand("workbench.extensions.search", `@id:${id}`);
    return;
  }
  const [name, value] = off;
  const settings = workspace.getConfiguration();
  const before = settings.get<unknown>(name);
  const merged = isTable(before) && isTable(value) ? { ...before, ...value } : value;
  await settings.update(name, merged, ConfigurationTarget.Global);
}

function isTable(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
