export { FAKE_TOKEN, fakeTelegram, type FakeMessage, type FakeTelegram } from './telegram/fake-telegram.ts';
