import type { Fields, Message } from '../cri/wire.ts';
import * as m from './dmi-messages.ts';

/** A call with one message each way. */
export interface DmiMethod<Q extends Fields = Fields, A extends Fields = Fields> {
  /** `/<package>.<service>/<method>`. */
  readonly path: string;
  readonly request: Message<Q>;
  readonly response: Message<A>;
}

function manager<Q extends Fields, A extends Fields>(
  name: string,
  request: Message<Q>,
  response: Message<A>,
): DmiMethod<Q, A> {
  return { path: `/v1beta1.DeviceManagerService/${name}`, request, response };
}

function mapper<Q extends Fields, A extends Fields>(
  name: string,
  request: Message<Q>,
  response: Message<A>,
): DmiMethod<Q, A> {
  return { path: `/v1beta1.DeviceMapperService/${name}`, request, response };
}

/** What the edge serves. */
export const MANAGER_METHODS = {
  mapperRegister: manager('MapperRegister', m.MapperRegisterRequest, m.MapperRegisterResponse),
  reportDeviceStatus: manager(
    'ReportDeviceStatus',
    m.ReportDeviceStatusRequest,
    m.ReportDeviceStatusResponse,
  ),
  reportDeviceStates: manager(
    'ReportDeviceStates',
    m.ReportDeviceStatesRequest,
    m.ReportDeviceStatesResponse,
  ),
} as const;

/** What a mapper serves. */
export const MAPPER_METHODS = {
  registerDevice: mapper('RegisterDevice', m.RegisterDeviceRequest, m.RegisterDeviceResponse),
  removeDevice: mapper('RemoveDevice', m.RemoveDeviceRequest, m.RemoveDeviceResponse),
  updateDevice: mapper('UpdateDevice', m.UpdateDeviceRequest, m.UpdateDeviceResponse),
  getDevice: mapper('GetDevice', m.GetDeviceRequest, m.GetDeviceResponse),
  createDeviceModel: mapper('CreateDeviceModel', m.CreateDeviceModelRequest, m.CreateDeviceModelResponse),
  removeDeviceModel: mapper('RemoveDeviceModel', m.RemoveDeviceModelRequest, m.RemoveDeviceModelResponse),
  updateDeviceModel: mapper('UpdateDeviceModel', m.UpdateDeviceModelRequest, m.UpdateDeviceModelResponse),
} as const;
