import { pino } from 'pino';

/** LANDLORD_TEST_LOG=debug shows what the operators of the tests log. */
export const silentLogger = pino({ level: process.env['LANDLORD_TEST_LOG'] ?? 'silent' });
