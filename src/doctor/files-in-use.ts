import { findRepository, type Repository } from "../github/repository.ts";
import type { RepositoryFile } from "../repository-file/repository-file.ts";
import type { DoctorMeans } from "./means.ts";

export interface FileInUse {
  readonly repository: Repository;
  readonly file: RepositoryFile;
}

/** The files that the server obeys: of the default branches of the repositories that were heard of last, at most fifty. */
export async function filesInUse({ database, loadFile }: DoctorMeans): Promise<readonly FileInUse[]> {
  const rows = await database.read((db) =>
    db.selectFrom("repository").select("id").where("active", "=", 1).orderBy("id", "desc").limit(50).execute(),
  );
  const found: FileInUse[] = [];
  for (const { id } of rows) {
    const repository = await database.read((db) => findRepository(db, id));
    if (repository === null) continue;
    const loaded = await loadFile(repository, repository.defaultBranch).catch(() => null);
    if (loaded?.kind === "file") found.push({ repository, file: loaded.file });
  }
  return found;
}
