const REASONS: Record<string, string> = {
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of its path is no directory',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EROFS: 'the disk is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EFBIG: 'the file would be larger than this process may write',
  EEXIST: 'it is there already',
  REMOVED: 'it has been removed',
  CHANGED: 'somebody else has changed it',
}

/** Returns in words why a file could not be read or written. */
export function fileReason(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException
  return (code && (REASONS[code] ?? code)) || 'it failed'
}
