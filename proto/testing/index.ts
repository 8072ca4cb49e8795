export { TestAuthority, type CertificateWish } from './test-pki.ts';
