import { isIP, isIPv4, isIPv6 } from 'node:net';
import { dns1123LabelProblems, dns1123SubdomainProblems } from '../meta/names.ts';

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;
const DATE_TIME =
  /^\d{4}-\d{2}-\d{2}[Tt ]([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)([.,]\d+)?([Zz]|[+-]\d{2}:?\d{2})?$/;
const DURATION =
  /^[+-]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w)(\s*(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h|d|w))*$/;
const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function isDate(text: string): boolean {
  const [, year, month, day] = DATE.exec(text) ?? [];
  if (day === undefined) return false;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  return date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
}

function isCidr(text: string): boolean {
  const [address = '', bits = '', ...rest] = text.split('/');
  const family = isIP(address);
  return (
    rest.length === 0 && family !== 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
  );
}

/**
 * The string formats that are checked; any other is only a comment, as in the API server.
 * Source: kube-openapi validation/strfmt, apiextensions supported formats.
 */
export const STRING_FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  byte: (text) => BASE64.test(text),
  cidr: isCidr,
  date: isDate,
  'date-time': (text) => DATE_TIME.test(text) && isDate(text.slice(0, 10)),
  datetime: (text) => DATE_TIME.test(text) && isDate(text.slice(0, 10)),
  duration: (text) => DURATION.test(text),
  email: (text) => /^[^\s@<>()]+@[^\s@<>()]+$/.test(text),
  hexcolor: (text) => /^#?([0-9a-f]{3}|[0-9a-f]{6})$/i.test(text),
  hostname: (text) => text.length <= 253 && /^([\p{L}\p{N}]([-\p{L}\p{N}]*[\p{L}\p{N}])?\.?)+$/u.test(text),
  ipv4: isIPv4,
  ipv6: isIPv6,
  'k8s-long-name': (text) => dns1123SubdomainProblems(text).length === 0,
  'k8s-short-name': (text) => dns1123LabelProblems(text).length === 0,
  mac: (text) => /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$|^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/i.test(text),
  uri: (text) => URL.canParse(text) || /^\/[^\s]*$/.test(text),
  uuid: (text) => UUID.test(text),
};

const INT_LIMITS: Readonly<Record<string, number>> = { int32: 2 ** 31, int64: 2 ** 63 };

/** Whether a whole number is in the range of its format; a format that is not known has none. */
export function isInIntegerRange(format: string, value: number): boolean {
  const limit = Object.hasOwn(INT_LIMITS, format) ? INT_LIMITS[format] : undefined;
  return limit === undefined || (value >= -limit && value < limit);
}
