// The models that can run on this machine, as listed by `llm-lsp model list`; independent of VS Code.

export interface Model {
  readonly name: string;
  readonly here: boolean;
  /** Whether it fits this machine and its licence allows any use. */
  readonly fits: boolean;
  readonly size_mb: number;
  readonly licence: string;
}

/** Parse the list; empty if it is invalid. */
export function readModels(json: string): Model[] {
  try {
    const rows: unknown = JSON.parse(json);
    return Array.isArray(rows) ? rows.filter(isModel) : [];
  } catch {
    return [];
  }
}

/** Return the model that a download would try first: the list goes from worst to best. */
export function bestToDownload(models: readonly Model[]): Model | undefined {
  return models.filter(({ fits, here }) => fits && !here).at(-1);
}

/** Describe a model before it is downloaded: its size and licence, by which a user decides. */
export function describeModel({ name, size_mb, licence }: Model): string {
  const size = size_mb >= 1000 ? `${(size_mb / 1000).toFixed(1)} GB` : `${size_mb} MB`;
  return `${name} (${size}, ${licence})`;
}

/** Parse a download's progress from a line such as "name: 49 of 491 MB"; undefined for other lines. */
export function readPercent(line: string): number | undefined {
  const found = /: (\d+) of (\d+) MB\s*$/.exec(line);
  const [done, total] = [Number(found?.[1]), Number(found?.[2])];
  return found && total > 0 ? Math.min(100, (100 * done) / total) : undefined;
}

function isModel(row: unknown): row is Model {
  if (typeof row !== "object" || row === null) return false;
  const has = (key: string, kind: string): boolean => typeof Reflect.get(row, key) === kind;
  return has("name", "string") && has("here", "boolean") && has("fits", "boolean") && has("size_mb", "number") && has("licence", "string");
}
