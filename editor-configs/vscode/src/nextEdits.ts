// Next edits: marks the one that follows from the last change, goes to it, and applies it.

import {
  commands,
  type DecorationOptions,
  Disposable,
  type Position,
  Range,
  Selection,
  type TextDocumentChangeEvent,
  type TextEditor,
  TextEditorRevealType,
  ThemeColor,
  window,
  workspace,
} from "vscode";

import { type LineEdit, moved, oldText } from "./editPlace";
import type { Service } from "./service";

const METHOD = "textDocument/copilotInlineEdit";
/** From a change to the question, as Copilot's clients wait. */
const WAIT_MS = 100;
const VISIBLE = "llm-lsp.editVisible";

interface Answer {
  readonly edits: readonly {
    readonly text: string;
    readonly range: { readonly start: Place; readonly end: Place };
    readonly command: { readonly command: string; readonly arguments: readonly unknown[] };
  }[];
}

interface Place {
  readonly line: number;
  readonly character: number;
}

interface Shown extends LineEdit {
  readonly editor: TextEditor;
  readonly command: Answer["edits"][number]["command"];
}

export class NextEdits {
  private shown: Shown | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Questions so far: the answer to an earlier one is not shown. */
  private questions = 0;
  private readonly old = window.createTextEditorDecorationType({
    backgroundColor: new ThemeColor("diffEditor.removedTextBackground"),
    textDecoration: "line-through",
  });
  private readonly added = window.createTextEditorDecorationType({});
  private readonly subscriptions: Disposable;

  constructor(private readonly service: Service) {
    this.subscriptions = Disposable.from(
      this.old,
      this.added,
      commands.registerCommand("llm-lsp.acceptEdit", () => this.accept()),
      commands.registerCommand("llm-lsp.dismissEdit", () => this.dismiss()),
      workspace.onDidChangeTextDocument((event) => this.follow(event)),
      window.onDidChangeTextEditorSelection(() => this.draw()),
      window.onDidChangeTextEditorVisibleRanges(() => this.draw()),
      window.onDidChangeActiveTextEditor(() => this.hide()),
    );
  }

  dispose(): void {
    this.hide();
    this.subscriptions.dispose();
  }

  private follow({ document, contentChanges }: TextDocumentChangeEvent): void {
    const editor = window.activeTextEditor;
    if (editor?.document !== document || contentChanges.length === 0) return;
    for (const { range, text } of contentChanges)
      this.shown = this.shown && moved(this.shown, { startLine: range.start.line, endLine: range.end.line, text });
    this.draw();
    this.questions += 1;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(editor), WAIT_MS);
  }

  private async ask(editor: TextEditor): Promise<void> {
    const { document } = editor;
    const { version } = document;
    const question = this.questions;
    const uri = document.uri.toString();
    const answer = await this.service.request<Answer>(METHOD, {
      textDocument: { uri, version },
      position: { line: editor.selection.active.line, character: editor.selection.active.character },
    });
    if (question === this.questions && editor === window.activeTextEditor && version === document.version)
      this.show(editor, answer);
  }

  /** Mark an edit; one of several lines is left to code actions. */
  private show(editor: TextEditor, answer: Answer | undefined): void {
    this.hide();
    const edit = answer?.edits[0];
    if (edit === undefined) return;
    const { start, end } = edit.range;
    if (start.line !== end.line || edit.text.includes("\n") || end.line >= editor.document.lineCount) return;
    const line = editor.document.lineAt(start.line).text;
    this.shown = {
      editor,
      command: edit.command,
      line: start.line,
      before: line.slice(0, start.character),
      after: line.slice(end.character),
      old: line.slice(start.character, end.character),
      new: edit.text,
    };
    void commands.executeCommand("setContext", VISIBLE, true);
    this.draw();
  }

  /** Return the range that the edit still replaces; undefined if there is none. */
  private range(): Range | undefined {
    const edit = this.shown;
    if (edit === undefined || edit.editor !== window.activeTextEditor) return undefined;
    const { document } = edit.editor;
    const old = edit.line < document.lineCount ? oldText(edit, document.lineAt(edit.line).text) : undefined;
    const start = edit.before.length;
    return old === undefined ? undefined : new Range(edit.line, start, edit.line, start + old.length);
  }

  private draw(): void {
    const edit = this.shown;
    const range = this.range();
    if (edit === undefined) return;
    if (range === undefined) {
      this.hide();
      return;
    }
    const cursor = edit.editor.selection.active;
    const isSeen = edit.editor.visibleRanges.some((seen) => seen.intersection(range));
    edit.editor.setDecorations(this.old, range.isEmpty ? [] : [range]);
    edit.editor.setDecorations(this.added, isSeen ? [beside(range, edit.new)] : [hint(edit, cursor)]);
  }

  private hide(): void {
    if (this.shown === undefined) return;
    this.shown.editor.setDecorations(this.old, []);
    this.shown.editor.setDecorations(this.added, []);
    this.shown = undefined;
    void commands.executeCommand("setContext", VISIBLE, false);
  }

  /** Go to the edit, or apply it if the cursor is in its line. */
  private async accept(): Promise<void> {
    const edit = this.shown;
    const range = this.range();
    if (edit === undefined || range === undefined) {
      this.hide();
      return;
    }
    const { editor } = edit;
    if (editor.selection.active.line !== edit.line) {
      editor.selection = new Selection(range.start, range.start);
      editor.revealRange(range, TextEditorRevealType.InCenterIfOutsideViewport);
      return;
    }
    this.hide();
    await editor.edit((builder) => builder.replace(range, edit.new));
    const end = range.start.translate(0, edit.new.length);
    editor.selection = new Selection(end, end);
    await this.service.execute(edit.command.command, edit.command.arguments);
  }

  /** Take the edit away for good. */
  private async dismiss(): Promise<void> {
    const edit = this.shown;
    this.hide();
    this.questions += 1;
    if (edit) await this.service.execute("llm-lsp.dismissed", edit.command.arguments);
  }
}

function beside(range: Range, text: string): DecorationOptions {
  const after = { contentText: text, backgroundColor: new ThemeColor("diffEditor.insertedTextBackground") };
  return { range: new Range(range.end, range.end), renderOptions: { after } };
}

function hint(edit: Shown, cursor: Position): DecorationOptions {
  const arrow = edit.line < cursor.line ? "↑" : "↓";
  const end = edit.editor.document.lineAt(cursor.line).range.end;
  const contentText = `  ${arrow} next edit: line ${edit.line + 1}`;
  const after = { contentText, color: new ThemeColor("editorGhostText.foreground") };
  return { range: new Range(end, end), renderOptions: { after } };
}
