// The connection to the server, using VS Code's language client.

import { homedir } from "node:os";
import { type LogOutputChannel, workspace } from "vscode";
import { LanguageClient, type LanguageClientOptions, RevealOutputChannelOn } from "vscode-languageclient/node";

import type { KeptKey } from "./keys";
import { PROGRAM } from "./server";
import { explicitSettings, SCOPED_CAPABILITY, type ScopedSettings } from "./settings";

export const SECTION = PROGRAM;

/** Create a client without starting it; `keys` are the server's settings. */
export function createClient(
  program: string,
  keys: readonly string[],
  kept: readonly KeptKey[],
  log: LogOutputChannel,
): LanguageClient {
  const level = workspace.getConfiguration(SECTION).get<string>("server.logLevel", "warning");
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file" },
      { scheme: "untitled" },
      { scheme: "vscode-notebook-cell" },
      { scheme: "vscode-userdata" },
      { scheme: "vscode-vfs" },
      { scheme: "vscode-scm" },
      { scheme: "vscode-interactive-input" },
    ],
    outputChannel: log,
    initializationOptions: kept.length > 0 ? { keys: kept } : {},
    revealOutputChannelOn: RevealOutputChannelOn.Never,
    middleware: {
      workspace: {
        configuration: ({ items }) => items.map((item) => (item.section === SECTION ? scopedSettings(keys) : null)),
        // The server requests the settings it needs; only tell it that something has changed.
        didChangeConfiguration: () => client.sendNotification("workspace/didChangeConfiguration", { settings: null }),
      },
    },
  };
  // Not in the open folder: a program that starts there may load files from it.
  const server = { command: program, args: ["server", "--log-level", level], options: { cwd: homedir() } };
  const client = new LanguageClient(SECTION, "llm-lsp", server, options);
  client.registerFeature({
    fillClientCapabilities: (capabilities) => {
      capabilities.experimental = { ...capabilities.experimental, ...SCOPED_CAPABILITY };
    },
    initialize: () => {},
    getState: () => ({ kind: "static" }),
    clear: () => {},
  });
  return client;
}

function scopedSettings(keys: readonly string[]): ScopedSettings {
  const configuration = workspace.getConfiguration(SECTION);
  return explicitSettings(keys, (key) => configuration.inspect(key), workspace.isTrusted);
}
