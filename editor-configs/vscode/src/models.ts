// The models that can run on this machine, as `llm-lsp model list` names them; knows nothing of VS Code.

export interface Model {
  readonly name: string;
  readonly here: boolean;
  /** It fits this machine, and its licence allows any use. */
  readonly fits: boolean;
  readonly size_mb: number;
  readonly licence: string;
}

/** Read the list; gives nothing where it is not what it should be. */
export function readModels(json: string): Model[] {
  try {
    const rows: unknown = JSON.parse(json);
    return Array.isArray(rows) ? rows.filter(isModel) : [];
  } catch {
    return [];
  }
}

/** Give the model that a download would try first: the list goes from the worst to the best. */
export function bestToDownload(models: readonly Model[]): Model | undefined {
  return models.filter(({ fits, here }) => fits && !here).at(-1);
}

/** Describe a model before it is downloaded: its size and licence are what a user decides by. */
export function describeModel({ name, size_mb, licence }: Model): string {
  const size = size_mb >= 1000 ? `${(size_mb / 1000).toFixed(1)} GB` : `${size_mb} MB`;
  return `${name} (${size}, ${licence})`;
}

/** Read how far a download is from a line such as "name: 49 of 491 MB"; undefined where it says something else. */
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
