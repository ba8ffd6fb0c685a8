import { AppError } from '../errors.ts';

/** What a failed use of the home means to the person who has to mend it. */
export function homeFault(thrown: unknown, home: string): AppError {
  const reason = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
  const details = { home, reason };
  switch (reason) {
    case 'EROFS':
      return new AppError(
        'invalid',
        'home.read_only',
        `The disk of ${home} is read-only: mount it writable, or choose another folder with --home`,
        details,
        thrown,
      );
    case 'EACCES':
    case 'EPERM':
      return new AppError(
        'invalid',
        'home.not_allowed',
        `This user may not write to ${home}: give it the folder, or choose another one with --home`,
        details,
        thrown,
      );
    case 'ENOSPC':
    case 'EDQUOT':
      return new AppError(
        'unavailable',
        'home.disk_full',
        `No space is left on the disk of ${home}: make room and start again`,
        details,
        thrown,
      );
    case 'EEXIST':
    case 'ENOTDIR':
    case 'ENOENT':
    case 'ELOOP':
      return new AppError(
        'invalid',
        'home.not_a_folder',
        `${home} is not a folder and cannot become one: choose another one with --home`,
        details,
        thrown,
      );
    default:
      return new AppError('unavailable', 'home.unusable', `${home} cannot be used: ${reason}`, details, thrown);
  }
}
