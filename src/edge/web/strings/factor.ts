/** Words about the second factor, wherever it is asked for. */
export const factorWords = {
  title: 'Confirm that it is you',
  text: 'This act is guarded: give a second factor for it.',
  byPassword: 'This act is guarded: give your password for it.',
  none: 'This act is guarded, and there is no password yet to guard it with. Set one first.',
  passkeyElsewhere: 'This act is guarded. Your passkeys belong to another address of this server; here, give a code.',
  password: 'Your password',
  code: 'Code',
  codeHint: 'The six digits of your authenticator app, or a recovery code.',
  recoveryHint: 'One of your recovery codes.',
  usePasskey: 'Use a passkey',
  passkeyFailed: 'The passkey did not work: try again, or use another way.',
  confirm: 'Confirm',
} as const;
