// The command that asks a question about the selected code.

import { commands, window } from "vscode";

/** Prompt for a question and send it to the server, which opens the answer as a page. */
export async function askAboutSelection(): Promise<void> {
  const editor = window.activeTextEditor;
  if (!editor) return;
  const { document, selection } = editor;
  const question = await window.showInputBox({
    title: selection.isEmpty ? "Ask about this line" : "Ask about the selection",
    placeHolder: "Why does this allocate?",
  });
  if (!question?.trim()) return;
  // A selection that ends at the start of a line does not include that line.
  const hasLast = selection.isEmpty || selection.end.character > 0;
  const argument = {
    uri: document.uri.toString(),
    first: selection.start.line,
    stop: selection.end.line + (hasLast ? 1 : 0),
    question,
  };
  await commands.executeCommand("llm-lsp.ask", argument);
}
