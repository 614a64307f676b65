export interface Amount {
  readonly files: number;
  readonly bytes: number;
}

/** "213 files (4.1 MB)". */
export function sayAmount({ files, bytes }: Amount): string {
  return `${files} ${files === 1 ? "file" : "files"} (${sayBytes(bytes)})`;
}

function sayBytes(bytes: number): string {
  if (bytes < 1_000) return `${bytes} bytes`;
  if (bytes < 999_500) return `${(bytes / 1_000).toPrecision(bytes < 9_950 ? 2 : 3)} kB`;
  return `${(bytes / 1_000_000).toFixed(1)} MB`;
}
