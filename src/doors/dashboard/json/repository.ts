import type { Repository } from "../../../github/repository.ts";

export function repositoryJson({ id, owner, name, defaultBranch, private: isPrivate }: Repository) {
  return { id, owner, name, default_branch: defaultBranch, private: isPrivate };
}
