// What became of the last request, as a rendered page.

import { commands, EventEmitter, type TextDocumentContentProvider, Uri } from "vscode";

export const SCHEME = "llm-lsp-explain";
// By this ending VS Code takes it for Markdown, which its preview renders.
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
    await commands.executeCommand("markdown.showPreviewToSide", PAGE);
  }
}
