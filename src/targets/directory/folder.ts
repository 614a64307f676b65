import { constants, type FileHandle, mkdir, open } from "node:fs/promises";

/**
 * A folder held open. A program of the repository may write to the same place at the same time and put a link where a folder was: what is
 * done through `at` happens in the folder that was opened, wherever its name leads meanwhile (https://man7.org/linux/man-pages/man5/proc_pid_fd.5.html).
 */
export class Folder implements AsyncDisposable {
  readonly #handle: FileHandle;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  /** Rejects with ELOOP or ENOTDIR where the last part of the path is no folder, a link to one included. */
  static async open(path: string): Promise<Folder> {
    return new Folder(await open(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW));
  }

  /** The path of an entry, or of the folder itself; the system calls on it should not follow a link at its end. */
  at(name = "."): string {
    return `/proc/self/fd/${this.#handle.fd}/${name}`;
  }

  async enter(name: string): Promise<Folder> {
    return Folder.open(this.at(name));
  }

  /** Enters a folder that is made, readable for everybody whatever our umask, when there is none. */
  async make(name: string): Promise<Folder> {
    const isNew = await mkdir(this.at(name)).then(
      () => true,
      (error) => {
        if (Error.isError(error) && "code" in error && error.code === "EEXIST") return false;
        throw error;
      },
    );
    const folder = await this.enter(name);
    if (isNew) await folder.#handle.chmod(0o755);
    return folder;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }
}
