// The server's status, and how the status bar shows it; independent of VS Code.

export type Kind = "Normal" | "Warning" | "Error" | "Inactive";

export interface Status {
  readonly kind: Kind;
  readonly busy: boolean;
  readonly message: string;
  readonly provider: string;
  readonly model: string;
  /** The amount as formatted by the server, "0.12 USD"; "" if nothing was spent or it is unknown. */
  readonly spentToday: string;
  /** Whether there is no model and no provider. */
  readonly needsModel: boolean;
}

/** The status bar's text. */
export interface Face {
  readonly text: string;
  readonly tooltip: string;
  readonly severity: "normal" | "warning" | "error";
}

export const STARTING: Status = {
  kind: "Normal",
  busy: true,
  message: "the server is starting",
  provider: "",
  model: "",
  spentToday: "",
  needsModel: false,
};

export const ABSENT: Status = { ...STARTING, kind: "Warning", busy: false, message: "the server is not installed" };
export const STOPPED: Status = { ...STARTING, kind: "Error", busy: false, message: "the server does not run" };

const KINDS: readonly string[] = ["Normal", "Warning", "Error", "Inactive"] satisfies Kind[];

/** Parse a `llm-lsp/status`; fields that another server version leaves out keep their values. */
export function readStatus(params: unknown, before: Status): Status {
  const said = isTable(params) ? params : {};
  const kind = text(said["kind"], "Normal");
  return {
    kind: KINDS.includes(kind) ? (kind as Kind) : "Normal",
    busy: said["busy"] === true,
    message: text(said["message"], ""),
    provider: text(said["provider"], before.provider),
    model: text(said["model"], before.model),
    spentToday: text(said["spentToday"], before.spentToday),
    needsModel: said["needsModel"] === true,
  };
}

/** Return the model, the state and the amount spent in a few characters. */
export function faceOf(status: Status): Face {
  const name = shortModel(status.model) || status.provider || "llm-lsp";
  const spent = status.spentToday && ` · ${status.spentToday}`;
  return {
    text: `$(${icon(status)}) ${name}${spent}`,
    tooltip: [
      `llm-lsp: ${status.message || (status.kind === "Inactive" ? "off" : "ready")}`,
      status.model && `Model: ${status.model}${status.provider && ` (${status.provider})`}`,
      status.spentToday && `Spent today: ${status.spentToday}`,
    ]
      .filter(Boolean)
      .join("\n"),
    severity: status.kind === "Error" ? "error" : status.kind === "Warning" ? "warning" : "normal",
  };
}

function icon({ kind, busy }: Status): string {
  if (kind === "Error") return "error";
  if (kind === "Warning") return "warning";
  if (kind === "Inactive") return "circle-slash";
  return busy ? "loading~spin" : "sparkle";
}

/** Remove the owner that hosts put before a model's name, and shorten it for a status bar. */
function shortModel(model: string): string {
  const name = model.slice(model.lastIndexOf("/") + 1);
  return name.length > 28 ? `${name.slice(0, 27)}…` : name;
}

function text(value: unknown, otherwise: string): string {
  return typeof value === "string" ? value : otherwise;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
