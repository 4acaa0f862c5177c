// The item in the status bar.

import { type Disposable, StatusBarAlignment, type StatusBarItem, ThemeColor, window } from "vscode";

import { faceOf, STARTING, type Status } from "./status";

const COLOURS = {
  normal: undefined,
  warning: new ThemeColor("statusBarItem.warningBackground"),
  error: new ThemeColor("statusBarItem.errorBackground"),
} as const;

export class StatusItem implements Disposable {
  private readonly item: StatusBarItem;
  private current: Status = STARTING;

  constructor() {
    this.item = window.createStatusBarItem("llm-lsp.status", StatusBarAlignment.Right, 100);
    this.item.name = "llm-lsp";
    this.item.command = "llm-lsp.menu";
    this.show(STARTING);
    this.item.show();
  }

  get status(): Status {
    return this.current;
  }

  show(status: Status): void {
    this.current = status;
    const { text, tooltip, severity } = faceOf(status);
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.backgroundColor = COLOURS[severity];
    this.item.accessibilityInformation = { label: tooltip };
  }

  dispose(): void {
    this.item.dispose();
  }
}
