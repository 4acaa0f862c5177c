// What became of the last request, as a page that can be read and copied but not edited.

import { commands, EventEmitter, type TextDocumentContentProvider, Uri, ViewColumn, window, workspace } from "vscode";

export const SCHEME = "llm-lsp-explain";
// By this ending VS Code takes it for Markdown, which it wraps.
const PAGE = Uri.parse(`${SCHEME}:Why.md`);

export class Explanation implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  private text = "";
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(): string {
    return this.text;
  }

  /** Ask the server, and show what it says beside the code that is asked about. */
  async show(): Promise<void> {
    const text = await commands.executeCommand<unknown>("llm-lsp.explain");
    this.text = typeof text === "string" ? text : "The server says nothing.";
    this.changed.fire(PAGE);
    const document = await workspace.openTextDocument(PAGE);
    await window.showTextDocument(document, { preview: true, preserveFocus: true, viewColumn: ViewColumn.Beside });
  }
}
