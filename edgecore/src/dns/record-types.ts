/** Types of records and questions that are treated by name here. Source: IANA, "Domain Name System (DNS) Parameters". */
export const TYPE = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  OPT: 41,
  TSIG: 250,
  IXFR: 251,
  AXFR: 252,
  MAILB: 253,
  MAILA: 254,
  ANY: 255,
} as const;

/** What an answer says of the question. Source: RFC 1035 §4.1.1; RFC 6891 §9 (BADVERS, whose upper bits are in the OPT). */
export const RCODE = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;

/** One of {@link RCODE}, or another one that an upstream server said. */
export type Rcode = number;

/** The class of everything here. */
export const CLASS_IN = 1;
