/** Words of the page that lets in. */
export const loginWords = {
  title: 'Welcome back',
  password: 'Password',
  submit: 'Log in',
  passkey: 'Log in with a passkey',
  secondTitle: 'One more step',
  secondText: 'Now your second factor, within two minutes.',
  back: 'Back',
  working: 'Coming in with your link…',
  noPasswordTitle: 'Open your login link',
  noPassword:
    'No password has been set yet. Castellan printed a link when it started: open it in this browser. It works once, for 15 minutes.',
  noPasswordAgain: 'If its time is over, restart the agent and it prints a new one.',
  linkUsed: 'This link was used already, or its time is over. Log in with your password, or ask for a new link.',
  throttled: (minutes: number) =>
    `Too many attempts. Try again in ${minutes === 1 ? 'a minute' : `${minutes} minutes`}; a login link works at once.`,
  forgotten: 'Forgotten? Whoever can use the machine can make a new link, or set the password there.',
} as const;

/** Words about the password and its strength. */
export const passwordWords = {
  title: 'Set your password',
  text: 'You are in. Choose the password you will come in with from now on.',
  field: 'New password',
  again: 'The same again',
  differ: 'The two are not the same.',
  submit: 'Set password',
  done: 'Your password is set.',
  show: 'Show what I type',
  strength: ['Too short: at least 10 characters', 'Weak', 'Fair', 'Good', 'Strong'] as readonly string[],
  advice: 'Four or five unrelated words are strong and easy to remember.',
} as const;
