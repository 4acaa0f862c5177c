// The status item's menu: each entry runs a command that the palette has too.

import { commands, type QuickPickItem, QuickPickItemKind, window } from "vscode";

import type { Status } from "./status";

interface Entry extends QuickPickItem {
  readonly command?: string;
  readonly argument?: unknown;
}

const INSTALL: Entry = { label: "$(cloud-download) Install the server", command: "llm-lsp.installServer" };

const ALWAYS: readonly Entry[] = [
  { label: "$(output) Show the log", command: "llm-lsp.showLog" },
  { label: "", kind: QuickPickItemKind.Separator },
  { label: "$(gear) Settings", command: "workbench.action.openSettings", argument: "@ext:llm-lsp.llm-lsp" },
  { label: "$(debug-restart) Restart the server", command: "llm-lsp.restart" },
  { label: "$(book) First steps", command: "workbench.action.openWalkthrough", argument: "llm-lsp.llm-lsp#start" },
];

const SNOOZE: readonly Entry[] = [
  { label: "For 10 minutes", argument: 10 },
  { label: "For an hour", argument: 60 },
  { label: "For 8 hours", argument: 480 },
  { label: "No longer", argument: 0 },
];

export async function showMenu(status: Status, isRunning: boolean): Promise<void> {
  const entries = [...(isRunning ? ofRunningServer(status) : [INSTALL]), ...ALWAYS];
  const chosen = await window.showQuickPick(entries, { title: title(status), placeHolder: status.message });
  if (chosen?.command) await commands.executeCommand(chosen.command, ...given(chosen));
}

export async function snooze(): Promise<void> {
  const chosen = await window.showQuickPick(SNOOZE, { title: "No completions" });
  if (chosen) await commands.executeCommand("llm-lsp.snooze", ...given(chosen));
}

function ofRunningServer({ kind }: Status): Entry[] {
  const toggle = kind === "Inactive" ? "$(play) Switch completion on" : "$(debug-pause) Switch completion off";
  return [
    { label: "$(bell-slash) Snooze…", command: "llm-lsp.snoozeFor" },
    { label: toggle, command: "llm-lsp.toggle" },
    { label: "$(arrow-swap) Switch provider…", command: "llm-lsp.switchProvider" },
    { label: "$(add) Add a provider with its key…", command: "llm-lsp.addProvider" },
    { label: "$(cloud-download) Download a model", command: "llm-lsp.downloadModel" },
    { label: "$(comment) Ask about the selection…", command: "llm-lsp.askAboutSelection" },
    { label: "$(edit) Rewrite the selection…", command: "llm-lsp.rewriteSelection" },
    { label: "$(question) Explain the last request", command: "llm-lsp.explainLast" },
  ];
}

function title({ provider, model, spentToday }: Status): string {
  return ["llm-lsp", provider, model, spentToday && `${spentToday} today`].filter(Boolean).join(" · ");
}

function given({ argument }: Entry): unknown[] {
  return argument === undefined ? [] : [argument];
}
