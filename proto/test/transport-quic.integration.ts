import { describeTransportContract, quicUnderTest } from '../testing/index.ts';

describeTransportContract(quicUnderTest);
