import { describeTransportContract, wsUnderTest } from '../testing/index.ts';

describeTransportContract(wsUnderTest);
