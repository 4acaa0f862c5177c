// The commands that rewrite the selection by an instruction, shown as a diff while it is written, and that write a
// commit message into the Source Control view.

import {
  commands,
  EventEmitter,
  extensions,
  Range,
  type TextDocument,
  type TextDocumentContentProvider,
  Uri,
  window,
  workspace,
  WorkspaceEdit,
} from "vscode";

export const REWRITE_SCHEME = "llm-lsp-rewrite";
/** Whether a rewrite is shown that can be accepted or discarded. */
const CONTEXT = "llm-lsp.rewriting";

interface Proposal {
  readonly token: string;
  readonly document: TextDocument;
  readonly version: number;
  readonly first: number;
  readonly stop: number;
  readonly page: Uri;
  text: string | undefined;
}

interface Answer {
  readonly text: string;
  readonly isWhole: boolean;
}

/** The one rewrite that is shown, and the page with the text it makes. */
export class Rewrite implements TextDocumentContentProvider {
  private readonly changed = new EventEmitter<Uri>();
  private proposal: Proposal | undefined;
  private counter = 0;
  readonly onDidChange = this.changed.event;

  provideTextDocumentContent(page: Uri): string {
    const shown = this.proposal;
    if (!shown || shown.page.toString() !== page.toString()) return "";
    const { document, first, stop, text } = shown;
    if (text === undefined) return document.getText();
    const range = lines(document, first, stop);
    const whole = document.getText();
    return whole.slice(0, document.offsetAt(range.start)) + text + whole.slice(document.offsetAt(range.end));
  }

  /** Ask for an instruction, and show what it makes of the selection. */
  async start(): Promise<void> {
    const editor = window.activeTextEditor;
    if (!editor) return;
    const { document, selection } = editor;
    const instruction = await window.showInputBox({
      title: selection.isEmpty ? "Rewrite this line" : "Rewrite the selection",
      placeHolder: "Use a dictionary instead of the if chain",
    });
    if (!instruction?.trim()) return;
    // A selection that ends at the start of a line does not include that line.
    const hasLast = selection.isEmpty || selection.end.character > 0;
    const [first, stop] = [selection.start.line, selection.end.line + (hasLast ? 1 : 0)];
    const token = `rewrite-${++this.counter}`;
    const page = Uri.from({ scheme: REWRITE_SCHEME, path: document.uri.path, query: token });
    const proposal: Proposal = { token, document, version: document.version, first, stop, page, text: undefined };
    this.proposal = proposal;
    await commands.executeCommand("vscode.diff", document.uri, page, `${instruction} (llm-lsp)`, { preview: true });
    const argument = { uri: document.uri.toString(), first, stop, instruction, token };
    const answer = await commands.executeCommand<Answer | null>("llm-lsp.rewrite", argument);
    if (this.proposal !== proposal) return; // discarded, or another one was begun
    if (!answer) {
      await this.discard();
      return;
    }
    this.show(token, answer.text);
    await commands.executeCommand("setContext", CONTEXT, true);
    const about = answer.isWhole ? "Accept this rewrite?" : "The rewrite was cut off. Accept it all the same?";
    const choice = await window.showInformationMessage(about, "Accept", "Discard");
    if (this.proposal !== proposal) return;
    if (choice === "Accept") await this.accept();
    else if (choice === "Discard") await this.discard();
  }

  /** Show the text so far. */
  show(token: string, text: string): void {
    if (this.proposal?.token !== token) return;
    this.proposal.text = text;
    this.changed.fire(this.proposal.page);
  }

  /** Replace the lines by the new text, unless the document has changed. */
  async accept(): Promise<void> {
    const shown = this.proposal;
    if (!shown || shown.text === undefined) return;
    if (shown.document.version !== shown.version) {
      void window.showWarningMessage("llm-lsp: the file has changed meanwhile, so nothing is replaced.");
      return;
    }
    const edit = new WorkspaceEdit();
    edit.replace(shown.document.uri, lines(shown.document, shown.first, shown.stop), shown.text);
    await workspace.applyEdit(edit);
    await this.close();
  }

  /** Leave the document as it is. */
  async discard(): Promise<void> {
    await this.close();
  }

  private async close(): Promise<void> {
    const page = this.proposal?.page.toString();
    this.proposal = undefined;
    await commands.executeCommand("setContext", CONTEXT, false);
    for (const group of window.tabGroups.all) {
      for (const tab of group.tabs) {
        const input = tab.input as { modified?: Uri } | undefined;
        if (page && input?.modified?.toString() === page) await window.tabGroups.close(tab);
      }
    }
  }
}

function lines(document: TextDocument, first: number, stop: number): Range {
  return document.validateRange(new Range(first, 0, stop, 0));
}

interface GitRepository {
  readonly rootUri: Uri;
  readonly inputBox: { value: string };
}

interface GitExtension {
  getAPI(version: 1): { readonly repositories: GitRepository[] };
}

/** Write a message for what is staged into the Source Control view. */
export async function writeCommitMessage(source?: { rootUri?: Uri }): Promise<void> {
  const git = extensions.getExtension<GitExtension>("vscode.git");
  const found = (git?.isActive ? git.exports : await git?.activate())?.getAPI(1).repositories ?? [];
  const repository = found.find((each) => each.rootUri.toString() === source?.rootUri?.toString()) ?? found[0];
  if (!repository) {
    void window.showWarningMessage("llm-lsp: no Git repository is open.");
    return;
  }
  const folder = workspace.getWorkspaceFolder(repository.rootUri)?.uri ?? repository.rootUri;
  const message = await commands.executeCommand<string | null>("llm-lsp.commitMessage", { folder: folder.toString() });
  if (message) repository.inputBox.value = message;
}
