// Where a next edit is in a text that goes on changing; independent of VS Code.

/** An edit within one line. */
export interface LineEdit {
  /** From 0. */
  readonly line: number;
  /** The text of its line before the old text, and after it. */
  readonly before: string;
  readonly after: string;
  readonly old: string;
  readonly new: string;
}

/** A change of the document: lines from 0, and the new text. */
export interface Change {
  readonly startLine: number;
  readonly endLine: number;
  readonly text: string;
}

/** Return the edit after a change above it, or in it. */
export function moved<T extends LineEdit>(edit: T, change: Change): T {
  if (change.endLine > edit.line || change.startLine === edit.line) return edit;
  return { ...edit, line: edit.line + change.text.split("\n").length - 1 - (change.endLine - change.startLine) };
}

/** Return the text that the edit still replaces in its line; undefined if something else was written there. */
export function oldText(edit: LineEdit, line: string): string | undefined {
  const end = line.length - edit.after.length;
  if (end < edit.before.length || !line.startsWith(edit.before) || !line.endsWith(edit.after)) return undefined;
  const text = line.slice(edit.before.length, end);
  return text === edit.new || !leadsTo(text, edit) ? undefined : text;
}

/** Whether a text is a beginning of the new one and then a piece of the old one that is not deleted yet. */
function leadsTo(text: string, edit: LineEdit): boolean {
  for (let length = text.length; length >= 0; length -= 1)
    if (edit.new.startsWith(text.slice(0, length)) && edit.old.includes(text.slice(length))) return true;
  return false;
}
