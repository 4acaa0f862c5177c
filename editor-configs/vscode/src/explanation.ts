// Shows how the last request was answered, as a rendered page.

import { commands, EventEmitter, type TextDocumentContentProvider, Uri } from "vscode";

export const SCHEME = "llm-lsp-explain";
// The extension makes VS Code render it as Markdown.
const PAGE = Uri.parse(`${SCHEME}:Why.md`);

export class Explanation implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  private text = "";
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(): string {
    return this.text;
  }

  /** Ask the server, and show its explanation next to the code. */
  async show(): Promise<void> {
    const text = await commands.executeCommand<unknown>("llm-lsp.explain");
    this.text = typeof text === "string" ? text : "The server says nothing.";
    this.changed.fire(PAGE);
    await commands.executeCommand("markdown.showPreviewToSide", PAGE);
  }
}
