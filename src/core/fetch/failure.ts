import { AppError, toError } from '../errors.ts';

const REFUSED = /^(ECONNREFUSED|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/;
const DNS = /^(ENOTFOUND|EAI_|ENODATA|ESERVFAIL)/;
const TIMEOUT = /^(ETIMEDOUT|UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT)$/;
const TLS = /^(ERR_TLS_|ERR_SSL_|CERT_|EPROTO|SELF_SIGNED|DEPTH_ZERO|UNABLE_TO_|HOSTNAME_MISMATCH|INVALID_CA)/;
const BROKEN =
  /^(UND_ERR_|ECONNRESET|EPIPE|ECONNABORTED|HPE_|Z_|ERR_ZSTD|ERR__ERROR_FORMAT|ERR_BROTLI|ERR_STREAM_PREMATURE_CLOSE|ERR_BUFFER_TOO_LARGE|ZSTD_)/;

/** What went wrong on the way to `host`, as an error to show. Only the host is named: paths and queries may hold secrets. */
export function describeFailure(thrown: unknown, host: string): Error {
  if (thrown instanceof AppError) return thrown;
  const error = rootOf(toError(thrown));
  const code = codeOf(error);
  const failure = (name: string, message: string): AppError => new AppError('unavailable', name, message, { host, reason: code }, error);
  if (DNS.test(code)) return failure('fetch.dns', `The name ${host} could not be resolved`);
  if (REFUSED.test(code)) return failure('fetch.refused', `${host} refused the connection`);
  if (TIMEOUT.test(code)) return failure('fetch.timeout', `${host} did not answer in time`);
  if (TLS.test(code)) return failure('fetch.tls', `No secure connection to ${host}: ${error.message}`);
  if (code !== 'UND_ERR_INVALID_ARG' && (BROKEN.test(code) || error.name === 'HTTPParserError' || 'errno' in error))
    return failure('fetch.broken', `${host} broke the connection or sent a broken answer`);
  return error;
}

/** A try at several addresses fails as one error that holds the others. */
function rootOf(error: Error): Error {
  return error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}
