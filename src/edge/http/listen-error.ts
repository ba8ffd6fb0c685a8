import { AppError, toError } from '#core/errors';

/** Why a port could not be taken, with the way out; `setting` is the variable that moves it. */
export function listenError(thrown: unknown, { host, port, setting }: { host: string; port: number; setting: string }): Error {
  const error = toError(thrown) as NodeJS.ErrnoException;
  const details = { host, port };
  switch (error.code) {
    case 'EADDRINUSE':
      return new AppError(
        'unavailable',
        'http.port_in_use',
        `Port ${port} on ${host} is in use by another program: stop that, or set ${setting} to a free port`,
        details,
        error,
      );
    case 'EACCES':
      return new AppError(
        'unavailable',
        'http.port_not_allowed',
        `Port ${port} may not be opened by this user: set ${setting} to one above 1023`,
        details,
        error,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new AppError('unavailable', 'http.no_such_address', `${host} is not an address of this machine`, details, error);
    default:
      return error;
  }
}
