import { describeTransportContract, webTransportUnderTest } from '../testing/index.ts';

describeTransportContract(webTransportUnderTest);
