export { describeTransportContract } from './contract/index.ts';
export {
  drain,
  echo,
  openPair,
  rejectsWith,
  Site,
  type SiteOptions,
  type TransportUnderTest,
} from './contract/harness.ts';
export { quicUnderTest } from './contract/quic-under-test.ts';
export { webTransportUnderTest } from './contract/webtransport-under-test.ts';
export { wsUnderTest } from './contract/ws-under-test.ts';
export { streamPair, type StreamPairOptions } from './stream-pair.ts';
export { SessionSite, type SessionSiteOptions } from './session-site.ts';
export { TestAuthority, type CertificateWish } from './test-pki.ts';
