// The extension: creates its parts and registers the commands.

import { commands, type ExtensionContext, extensions, window, workspace } from "vscode";

import { SECTION } from "./client";
import { askAboutSelection } from "./ask";
import { Explanation, SCHEME } from "./explanation";
import { showMenu, snooze } from "./menu";
import { downloadModel, offerModel } from "./modelDialogs";
import { NextEdits } from "./nextEdits";
import { offerToLeaveOne } from "./offer";
import { addProvider, switchProvider } from "./providerDialogs";
import { REWRITE_SCHEME, Rewrite, writeCommitMessage } from "./rewrite";
import { Service } from "./service";
import { StatusItem } from "./statusItem";

export function activate(context: ExtensionContext): void {
  const log = window.createOutputChannel("llm-lsp", { log: true });
  const item = new StatusItem();
  const service = new Service(context, item, log);
  const explanation = new Explanation();
  const rewrite = new Rewrite();
  service.onRewriting = (token, text) => rewrite.show(token, text);
  const actions: Readonly<Record<string, () => unknown>> = {
    menu: () => showMenu(item.status, service.isRunning),
    snoozeFor: snooze,
    switchProvider: () => switchProvider(service),
    addProvider: () => addProvider(service),
    offerModel: () => offerModel(service),
    downloadModel: () => downloadModel(service),
    askAboutSelection,
    rewriteSelection: () => rewrite.start(),
    acceptRewrite: () => rewrite.accept(),
    discardRewrite: () => rewrite.discard(),
    writeCommitMessage: (source?: unknown) => writeCommitMessage(source as Parameters<typeof writeCommitMessage>[0]),
    explainLast: () => explanation.show(),
    showLog: () => log.show(),
    installServer: () => service.install(),
    restart: () => service.restart(),
  };
  context.subscriptions.push(
    log,
    item,
    new NextEdits(service),
    { dispose: () => service.stop() },
    workspace.registerTextDocumentContentProvider(SCHEME, explanation),
    workspace.registerTextDocumentContentProvider(REWRITE_SCHEME, rewrite),
    workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration(`${SECTION}.server`)) void service.restart();
    }),
    extensions.onDidChange(() => void offerToLeaveOne(context)),
    ...Object.entries(actions).map(([name, act]) => commands.registerCommand(`${SECTION}.${name}`, act)),
  );
  void offerToLeaveOne(context);
  void service.restart();
}
