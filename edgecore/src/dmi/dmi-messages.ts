import { bool, bytes, int32, int64, list, many, map, message, one, string } from '../cri/wire.ts';

// KubeEdge's Device Mapper Interface, package v1beta1: names, numbers and types are those of its api.proto. What no device
// here can have (`dbMethod`, `anomalyDetection`, commands of models) is left out: it is passed over where it is read. A test
// compares everything with what protobufjs makes of the interface.

/** `google.protobuf.Any`. */
export const Any = message('Any', { typeUrl: string(1), value: bytes(2) });

/** Entry of a map from names to `google.protobuf.Any`: on the wire a map is a list of these. */
const DataEntry = message('DataEntry', { key: string(1), value: one(2, Any) });

export const CustomizedValue = message('CustomizedValue', { data: many(1, DataEntry) });

export const TwinProperty = message('TwinProperty', { value: string(1), metadata: map(2) });

export const DmiTwin = message('Twin', {
  propertyName: string(1),
  observedDesired: one(2, TwinProperty),
  reported: one(3, TwinProperty),
});

export const DmiDeviceStatus = message('DeviceStatus', {
  twins: many(1, DmiTwin),
  reportToCloud: bool(2),
  reportCycle: int64(3),
});

const PushMethodHTTP = message('PushMethodHTTP', {
  hostname: string(1),
  port: int64(2),
  requestpath: string(3),
  timeout: int64(4),
});

const PushMethodMQTT = message('PushMethodMQTT', {
  address: string(1),
  topic: string(2),
  qos: int32(3),
  retained: bool(4),
});

const PushMethodOTEL = message('PushMethodOTEL', { endpointURL: string(1) });

export const DmiPushMethod = message('PushMethod', {
  http: one(1, PushMethodHTTP),
  mqtt: one(2, PushMethodMQTT),
  otel: one(4, PushMethodOTEL),
});

/** Of a protocol, and of how a property is visited: `ProtocolConfig` and `VisitorConfig` are the same. */
const Config = message('ProtocolConfig', { protocolName: string(1), configData: one(2, CustomizedValue) });

export const DmiDeviceProperty = message('DeviceProperty', {
  name: string(1),
  desired: one(2, TwinProperty),
  visitors: one(3, Config),
  reportCycle: int64(4),
  collectCycle: int64(5),
  reportToCloud: bool(6),
  pushMethod: one(7, DmiPushMethod),
});

export const DmiDeviceMethod = message('DeviceMethod', {
  name: string(1),
  description: string(2),
  propertyNames: list(3, 'string'),
});

export const DmiDeviceSpec = message('DeviceSpec', {
  deviceModelReference: string(1),
  protocol: one(2, Config),
  properties: many(3, DmiDeviceProperty),
  methods: many(4, DmiDeviceMethod),
});

export const DmiDevice = message('Device', {
  name: string(1),
  spec: one(2, DmiDeviceSpec),
  status: one(3, DmiDeviceStatus),
  namespace: string(4),
});

export const DmiModelProperty = message('ModelProperty', {
  name: string(1),
  description: string(2),
  type: string(3),
  accessMode: string(4),
  minimum: string(5),
  maximum: string(6),
  unit: string(7),
});

const DeviceModelSpec = message('DeviceModelSpec', { properties: many(1, DmiModelProperty) });

export const DmiDeviceModel = message('DeviceModel', {
  name: string(1),
  spec: one(2, DeviceModelSpec),
  namespace: string(3),
});

export const MapperInfo = message('MapperInfo', {
  name: string(1),
  version: string(2),
  apiVersion: string(3),
  protocol: string(4),
  address: bytes(5),
  state: string(6),
});

// ── DeviceManagerService ───────────────────────────────────────────────────────────────────────────────────────

export const MapperRegisterRequest = message('MapperRegisterRequest', {
  withData: bool(1),
  mapper: one(2, MapperInfo),
});

export const MapperRegisterResponse = message('MapperRegisterResponse', {
  modelList: many(1, DmiDeviceModel),
  deviceList: many(2, DmiDevice),
});

export const ReportDeviceStatusRequest = message('ReportDeviceStatusRequest', {
  deviceName: string(1),
  reportedDevice: one(2, DmiDeviceStatus),
  deviceNamespace: string(3),
});

export const ReportDeviceStatusResponse = message('ReportDeviceStatusResponse', {});

export const ReportDeviceStatesRequest = message('ReportDeviceStatesRequest', {
  deviceName: string(1),
  deviceNamespace: string(2),
  state: string(3),
});

export const ReportDeviceStatesResponse = message('ReportDeviceStatesResponse', {});

// ── DeviceMapperService ────────────────────────────────────────────────────────────────────────────────────────

export const RegisterDeviceRequest = message('RegisterDeviceRequest', { device: one(1, DmiDevice) });
export const RegisterDeviceResponse = message('RegisterDeviceResponse', {
  deviceName: string(1),
  deviceNamespace: string(2),
});

export const RemoveDeviceRequest = message('RemoveDeviceRequest', {
  deviceName: string(1),
  deviceNamespace: string(2),
});
export const RemoveDeviceResponse = message('RemoveDeviceResponse', {});

export const UpdateDeviceRequest = message('UpdateDeviceRequest', { device: one(1, DmiDevice) });
export const UpdateDeviceResponse = message('UpdateDeviceResponse', {});

export const GetDeviceRequest = message('GetDeviceRequest', {
  deviceName: string(1),
  deviceNamespace: string(2),
});
export const GetDeviceResponse = message('GetDeviceResponse', { device: one(1, DmiDevice) });

export const CreateDeviceModelRequest = message('CreateDeviceModelRequest', {
  model: one(1, DmiDeviceModel),
});
export const CreateDeviceModelResponse = message('CreateDeviceModelResponse', {
  deviceModelName: string(1),
  deviceModelNamespace: string(2),
});

export const UpdateDeviceModelRequest = message('UpdateDeviceModelRequest', {
  model: one(1, DmiDeviceModel),
});
export const UpdateDeviceModelResponse = message('UpdateDeviceModelResponse', {});

export const RemoveDeviceModelRequest = message('RemoveDeviceModelRequest', {
  modelName: string(1),
  modelNamespace: string(2),
});
export const RemoveDeviceModelResponse = message('RemoveDeviceModelResponse', {});
