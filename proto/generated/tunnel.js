/*eslint-disable block-scoped-var, id-length, no-control-regex, no-magic-numbers, no-mixed-operators, no-prototype-builtins, no-redeclare, no-shadow, no-var, sort-vars, default-case, jsdoc/require-param*/
import $protobuf from "protobufjs/minimal.js";

// Common aliases
const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError;

// Exported root namespace
const $root = $protobuf.roots["default"] || ($protobuf.roots["default"] = {});

export const hawser = $root.hawser = (() => {

    /**
     * Namespace hawser.
     * @exports hawser
     * @namespace
     */
    const hawser = {};

    hawser.tunnel = (function() {

        /**
         * Namespace tunnel.
         * @memberof hawser
         * @namespace
         */
        const tunnel = {};

        tunnel.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof hawser.tunnel
             * @namespace
             */
            const v1 = {};

            /**
             * Purpose enum.
             * @name hawser.tunnel.v1.Purpose
             * @enum {number}
             * @property {number} PURPOSE_UNSPECIFIED=0 PURPOSE_UNSPECIFIED value
             * @property {number} PURPOSE_CONTROL=1 PURPOSE_CONTROL value
             * @property {number} PURPOSE_BULK=2 PURPOSE_BULK value
             */
            v1.Purpose = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "PURPOSE_UNSPECIFIED"] = 0;
                values[valuesById[1] = "PURPOSE_CONTROL"] = 1;
                values[valuesById[2] = "PURPOSE_BULK"] = 2;
                return values;
            })();

            v1.Hello = (function() {

                /**
                 * Properties of a Hello.
                 * @typedef {Object} hawser.tunnel.v1.Hello.$Properties
                 * @property {number|null} [minVersion] Hello minVersion
                 * @property {number|null} [maxVersion] Hello maxVersion
                 * @property {hawser.tunnel.v1.Purpose|null} [purpose] Hello purpose
                 * @property {string|null} [node] Hello node
                 * @property {string|null} [software] Hello software
                 * @property {Array.<string>|null} [features] Hello features
                 * @property {Array.<string>|null} [requiredFeatures] Hello requiredFeatures
                 * @property {number|null} [heartbeatMs] Hello heartbeatMs
                 * @property {number|null} [lastEpoch] Hello lastEpoch
                 * @property {string|null} [clusterUid] Hello clusterUid
                 * @property {string|null} [sessionId] Hello sessionId
                 * @property {Uint8Array|null} [resumeState] Hello resumeState
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Hello.
                 * @memberof hawser.tunnel.v1
                 * @interface IHello
                 * @augments hawser.tunnel.v1.Hello.$Properties
                 * @deprecated Use hawser.tunnel.v1.Hello.$Properties instead.
                 */

                /**
                 * Shape of a Hello.
                 * @typedef {hawser.tunnel.v1.Hello.$Properties} hawser.tunnel.v1.Hello.$Shape
                 */

                /**
                 * Constructs a new Hello.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Hello.
                 * @constructor
                 * @param {hawser.tunnel.v1.Hello.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Hello = function (properties) {
                    this.features = [];
                    this.requiredFeatures = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Hello minVersion.
                 * @member {number} minVersion
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.minVersion = 0;

                /**
                 * Hello maxVersion.
                 * @member {number} maxVersion
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.maxVersion = 0;

                /**
                 * Hello purpose.
                 * @member {hawser.tunnel.v1.Purpose} purpose
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.purpose = 0;

                /**
                 * Hello node.
                 * @member {string} node
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.node = "";

                /**
                 * Hello software.
                 * @member {string} software
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.software = "";

                /**
                 * Hello features.
                 * @member {Array.<string>} features
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.features = $util.emptyArray;

                /**
                 * Hello requiredFeatures.
                 * @member {Array.<string>} requiredFeatures
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.requiredFeatures = $util.emptyArray;

                /**
                 * Hello heartbeatMs.
                 * @member {number} heartbeatMs
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.heartbeatMs = 0;

                /**
                 * Hello lastEpoch.
                 * @member {number} lastEpoch
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.lastEpoch = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Hello clusterUid.
                 * @member {string} clusterUid
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.clusterUid = "";

                /**
                 * Hello sessionId.
                 * @member {string} sessionId
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.sessionId = "";

                /**
                 * Hello resumeState.
                 * @member {Uint8Array} resumeState
                 * @memberof hawser.tunnel.v1.Hello
                 * @instance
                 */
                Hello.prototype.resumeState = $util.newBuffer([]);

                /**
                 * Encodes the specified Hello message. Does not implicitly {@link hawser.tunnel.v1.Hello.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Hello
                 * @static
                 * @param {hawser.tunnel.v1.Hello.$Properties} message Hello message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Hello.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.minVersion != null && $Object.hasOwnProperty.call(message, "minVersion") && message.minVersion !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.minVersion);
                    if (message.maxVersion != null && $Object.hasOwnProperty.call(message, "maxVersion") && message.maxVersion !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.maxVersion);
                    if (message.purpose != null && $Object.hasOwnProperty.call(message, "purpose") && message.purpose !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).int32(message.purpose);
                    if (message.node != null && $Object.hasOwnProperty.call(message, "node") && message.node !== "")
                        writer.uint32(/* id 4, wireType 2 =*/34).string(message.node);
                    if (message.software != null && $Object.hasOwnProperty.call(message, "software") && message.software !== "")
                        writer.uint32(/* id 5, wireType 2 =*/42).string(message.software);
                    if (message.features != null && message.features.length)
                        for (let i = 0; i < message.features.length; ++i)
                            writer.uint32(/* id 6, wireType 2 =*/50).string(message.features[i]);
                    if (message.requiredFeatures != null && message.requiredFeatures.length)
                        for (let i = 0; i < message.requiredFeatures.length; ++i)
                            writer.uint32(/* id 7, wireType 2 =*/58).string(message.requiredFeatures[i]);
                    if (message.heartbeatMs != null && $Object.hasOwnProperty.call(message, "heartbeatMs") && message.heartbeatMs !== 0)
                        writer.uint32(/* id 8, wireType 0 =*/64).uint32(message.heartbeatMs);
                    if (message.lastEpoch != null && $Object.hasOwnProperty.call(message, "lastEpoch") && (typeof message.lastEpoch === "object" ? message.lastEpoch.low || message.lastEpoch.high : message.lastEpoch !== 0))
                        writer.uint32(/* id 9, wireType 0 =*/72).uint64(message.lastEpoch);
                    if (message.clusterUid != null && $Object.hasOwnProperty.call(message, "clusterUid") && message.clusterUid !== "")
                        writer.uint32(/* id 10, wireType 2 =*/82).string(message.clusterUid);
                    if (message.sessionId != null && $Object.hasOwnProperty.call(message, "sessionId") && message.sessionId !== "")
                        writer.uint32(/* id 11, wireType 2 =*/90).string(message.sessionId);
                    if (message.resumeState != null && $Object.hasOwnProperty.call(message, "resumeState") && message.resumeState.length)
                        writer.uint32(/* id 12, wireType 2 =*/98).bytes(message.resumeState);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Hello message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Hello
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Hello & hawser.tunnel.v1.Hello.$Shape} Hello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Hello.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Hello();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.minVersion = value;
                                else
                                    delete message.minVersion;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.maxVersion = value;
                                else
                                    delete message.maxVersion;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.purpose = value;
                                else
                                    delete message.purpose;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.node = value;
                                else
                                    delete message.node;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.software = value;
                                else
                                    delete message.software;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.features && message.features.length))
                                    message.features = [];
                                message.features.push(reader.stringVerify());
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.requiredFeatures && message.requiredFeatures.length))
                                    message.requiredFeatures = [];
                                message.requiredFeatures.push(reader.stringVerify());
                                continue;
                            }
                        case 8: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.heartbeatMs = value;
                                else
                                    delete message.heartbeatMs;
                                continue;
                            }
                        case 9: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.lastEpoch = value;
                                else
                                    delete message.lastEpoch;
                                continue;
                            }
                        case 10: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.clusterUid = value;
                                else
                                    delete message.clusterUid;
                                continue;
                            }
                        case 11: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.sessionId = value;
                                else
                                    delete message.sessionId;
                                continue;
                            }
                        case 12: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.resumeState = value;
                                else
                                    delete message.resumeState;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Hello;
            })();

            v1.Welcome = (function() {

                /**
                 * Properties of a Welcome.
                 * @typedef {Object} hawser.tunnel.v1.Welcome.$Properties
                 * @property {number|null} [version] Welcome version
                 * @property {string|null} [sessionId] Welcome sessionId
                 * @property {number|null} [epoch] Welcome epoch
                 * @property {Array.<string>|null} [features] Welcome features
                 * @property {number|null} [heartbeatMs] Welcome heartbeatMs
                 * @property {string|null} [clusterUid] Welcome clusterUid
                 * @property {string|null} [incarnation] Welcome incarnation
                 * @property {number|null} [timeMs] Welcome timeMs
                 * @property {string|null} [software] Welcome software
                 * @property {number|null} [maxFrameBytes] Welcome maxFrameBytes
                 * @property {Uint8Array|null} [resumeState] Welcome resumeState
                 * @property {Array.<string>|null} [follows] Welcome follows
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Welcome.
                 * @memberof hawser.tunnel.v1
                 * @interface IWelcome
                 * @augments hawser.tunnel.v1.Welcome.$Properties
                 * @deprecated Use hawser.tunnel.v1.Welcome.$Properties instead.
                 */

                /**
                 * Shape of a Welcome.
                 * @typedef {hawser.tunnel.v1.Welcome.$Properties} hawser.tunnel.v1.Welcome.$Shape
                 */

                /**
                 * Constructs a new Welcome.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Welcome.
                 * @constructor
                 * @param {hawser.tunnel.v1.Welcome.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Welcome = function (properties) {
                    this.features = [];
                    this.follows = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Welcome version.
                 * @member {number} version
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.version = 0;

                /**
                 * Welcome sessionId.
                 * @member {string} sessionId
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.sessionId = "";

                /**
                 * Welcome epoch.
                 * @member {number} epoch
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.epoch = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Welcome features.
                 * @member {Array.<string>} features
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.features = $util.emptyArray;

                /**
                 * Welcome heartbeatMs.
                 * @member {number} heartbeatMs
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.heartbeatMs = 0;

                /**
                 * Welcome clusterUid.
                 * @member {string} clusterUid
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.clusterUid = "";

                /**
                 * Welcome incarnation.
                 * @member {string} incarnation
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.incarnation = "";

                /**
                 * Welcome timeMs.
                 * @member {number} timeMs
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.timeMs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Welcome software.
                 * @member {string} software
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.software = "";

                /**
                 * Welcome maxFrameBytes.
                 * @member {number} maxFrameBytes
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.maxFrameBytes = 0;

                /**
                 * Welcome resumeState.
                 * @member {Uint8Array} resumeState
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.resumeState = $util.newBuffer([]);

                /**
                 * Welcome follows.
                 * @member {Array.<string>} follows
                 * @memberof hawser.tunnel.v1.Welcome
                 * @instance
                 */
                Welcome.prototype.follows = $util.emptyArray;

                /**
                 * Encodes the specified Welcome message. Does not implicitly {@link hawser.tunnel.v1.Welcome.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Welcome
                 * @static
                 * @param {hawser.tunnel.v1.Welcome.$Properties} message Welcome message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Welcome.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.version != null && $Object.hasOwnProperty.call(message, "version") && message.version !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.version);
                    if (message.sessionId != null && $Object.hasOwnProperty.call(message, "sessionId") && message.sessionId !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.sessionId);
                    if (message.epoch != null && $Object.hasOwnProperty.call(message, "epoch") && (typeof message.epoch === "object" ? message.epoch.low || message.epoch.high : message.epoch !== 0))
                        writer.uint32(/* id 3, wireType 0 =*/24).uint64(message.epoch);
                    if (message.features != null && message.features.length)
                        for (let i = 0; i < message.features.length; ++i)
                            writer.uint32(/* id 4, wireType 2 =*/34).string(message.features[i]);
                    if (message.heartbeatMs != null && $Object.hasOwnProperty.call(message, "heartbeatMs") && message.heartbeatMs !== 0)
                        writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.heartbeatMs);
                    if (message.clusterUid != null && $Object.hasOwnProperty.call(message, "clusterUid") && message.clusterUid !== "")
                        writer.uint32(/* id 6, wireType 2 =*/50).string(message.clusterUid);
                    if (message.incarnation != null && $Object.hasOwnProperty.call(message, "incarnation") && message.incarnation !== "")
                        writer.uint32(/* id 7, wireType 2 =*/58).string(message.incarnation);
                    if (message.timeMs != null && $Object.hasOwnProperty.call(message, "timeMs") && (typeof message.timeMs === "object" ? message.timeMs.low || message.timeMs.high : message.timeMs !== 0))
                        writer.uint32(/* id 8, wireType 0 =*/64).uint64(message.timeMs);
                    if (message.software != null && $Object.hasOwnProperty.call(message, "software") && message.software !== "")
                        writer.uint32(/* id 9, wireType 2 =*/74).string(message.software);
                    if (message.maxFrameBytes != null && $Object.hasOwnProperty.call(message, "maxFrameBytes") && message.maxFrameBytes !== 0)
                        writer.uint32(/* id 10, wireType 0 =*/80).uint32(message.maxFrameBytes);
                    if (message.resumeState != null && $Object.hasOwnProperty.call(message, "resumeState") && message.resumeState.length)
                        writer.uint32(/* id 11, wireType 2 =*/90).bytes(message.resumeState);
                    if (message.follows != null && message.follows.length)
                        for (let i = 0; i < message.follows.length; ++i)
                            writer.uint32(/* id 12, wireType 2 =*/98).string(message.follows[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Welcome message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Welcome
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Welcome & hawser.tunnel.v1.Welcome.$Shape} Welcome
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Welcome.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Welcome();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.version = value;
                                else
                                    delete message.version;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.sessionId = value;
                                else
                                    delete message.sessionId;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.epoch = value;
                                else
                                    delete message.epoch;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.features && message.features.length))
                                    message.features = [];
                                message.features.push(reader.stringVerify());
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.heartbeatMs = value;
                                else
                                    delete message.heartbeatMs;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.clusterUid = value;
                                else
                                    delete message.clusterUid;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.incarnation = value;
                                else
                                    delete message.incarnation;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.timeMs = value;
                                else
                                    delete message.timeMs;
                                continue;
                            }
                        case 9: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.software = value;
                                else
                                    delete message.software;
                                continue;
                            }
                        case 10: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.maxFrameBytes = value;
                                else
                                    delete message.maxFrameBytes;
                                continue;
                            }
                        case 11: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.resumeState = value;
                                else
                                    delete message.resumeState;
                                continue;
                            }
                        case 12: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.follows && message.follows.length))
                                    message.follows = [];
                                message.follows.push(reader.stringVerify());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Welcome;
            })();

            v1.Reject = (function() {

                /**
                 * Properties of a Reject.
                 * @typedef {Object} hawser.tunnel.v1.Reject.$Properties
                 * @property {hawser.tunnel.v1.CloseCode|null} [code] Reject code
                 * @property {string|null} [error] Reject error
                 * @property {string|null} [message] Reject message
                 * @property {number|null} [retryAfterMs] Reject retryAfterMs
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Reject.
                 * @memberof hawser.tunnel.v1
                 * @interface IReject
                 * @augments hawser.tunnel.v1.Reject.$Properties
                 * @deprecated Use hawser.tunnel.v1.Reject.$Properties instead.
                 */

                /**
                 * Shape of a Reject.
                 * @typedef {hawser.tunnel.v1.Reject.$Properties} hawser.tunnel.v1.Reject.$Shape
                 */

                /**
                 * Constructs a new Reject.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Reject.
                 * @constructor
                 * @param {hawser.tunnel.v1.Reject.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Reject = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Reject code.
                 * @member {hawser.tunnel.v1.CloseCode} code
                 * @memberof hawser.tunnel.v1.Reject
                 * @instance
                 */
                Reject.prototype.code = 0;

                /**
                 * Reject error.
                 * @member {string} error
                 * @memberof hawser.tunnel.v1.Reject
                 * @instance
                 */
                Reject.prototype.error = "";

                /**
                 * Reject message.
                 * @member {string} message
                 * @memberof hawser.tunnel.v1.Reject
                 * @instance
                 */
                Reject.prototype.message = "";

                /**
                 * Reject retryAfterMs.
                 * @member {number} retryAfterMs
                 * @memberof hawser.tunnel.v1.Reject
                 * @instance
                 */
                Reject.prototype.retryAfterMs = 0;

                /**
                 * Encodes the specified Reject message. Does not implicitly {@link hawser.tunnel.v1.Reject.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Reject
                 * @static
                 * @param {hawser.tunnel.v1.Reject.$Properties} message Reject message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Reject.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).int32(message.code);
                    if (message.error != null && $Object.hasOwnProperty.call(message, "error") && message.error !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.error);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.message);
                    if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs") && message.retryAfterMs !== 0)
                        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.retryAfterMs);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Reject message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Reject
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Reject & hawser.tunnel.v1.Reject.$Shape} Reject
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Reject.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Reject();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.error = value;
                                else
                                    delete message.error;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.retryAfterMs = value;
                                else
                                    delete message.retryAfterMs;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Reject;
            })();

            v1.BulkRequest = (function() {

                /**
                 * Properties of a BulkRequest.
                 * @typedef {Object} hawser.tunnel.v1.BulkRequest.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a BulkRequest.
                 * @memberof hawser.tunnel.v1
                 * @interface IBulkRequest
                 * @augments hawser.tunnel.v1.BulkRequest.$Properties
                 * @deprecated Use hawser.tunnel.v1.BulkRequest.$Properties instead.
                 */

                /**
                 * Shape of a BulkRequest.
                 * @typedef {hawser.tunnel.v1.BulkRequest.$Properties} hawser.tunnel.v1.BulkRequest.$Shape
                 */

                /**
                 * Constructs a new BulkRequest.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a BulkRequest.
                 * @constructor
                 * @param {hawser.tunnel.v1.BulkRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const BulkRequest = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Encodes the specified BulkRequest message. Does not implicitly {@link hawser.tunnel.v1.BulkRequest.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.BulkRequest
                 * @static
                 * @param {hawser.tunnel.v1.BulkRequest.$Properties} message BulkRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                BulkRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a BulkRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.BulkRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.BulkRequest & hawser.tunnel.v1.BulkRequest.$Shape} BulkRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                BulkRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.BulkRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return BulkRequest;
            })();

            v1.BulkRelease = (function() {

                /**
                 * Properties of a BulkRelease.
                 * @typedef {Object} hawser.tunnel.v1.BulkRelease.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a BulkRelease.
                 * @memberof hawser.tunnel.v1
                 * @interface IBulkRelease
                 * @augments hawser.tunnel.v1.BulkRelease.$Properties
                 * @deprecated Use hawser.tunnel.v1.BulkRelease.$Properties instead.
                 */

                /**
                 * Shape of a BulkRelease.
                 * @typedef {hawser.tunnel.v1.BulkRelease.$Properties} hawser.tunnel.v1.BulkRelease.$Shape
                 */

                /**
                 * Constructs a new BulkRelease.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a BulkRelease.
                 * @constructor
                 * @param {hawser.tunnel.v1.BulkRelease.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const BulkRelease = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Encodes the specified BulkRelease message. Does not implicitly {@link hawser.tunnel.v1.BulkRelease.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.BulkRelease
                 * @static
                 * @param {hawser.tunnel.v1.BulkRelease.$Properties} message BulkRelease message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                BulkRelease.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a BulkRelease message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.BulkRelease
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.BulkRelease & hawser.tunnel.v1.BulkRelease.$Shape} BulkRelease
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                BulkRelease.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.BulkRelease();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return BulkRelease;
            })();

            v1.Subscribe = (function() {

                /**
                 * Properties of a Subscribe.
                 * @typedef {Object} hawser.tunnel.v1.Subscribe.$Properties
                 * @property {number|null} [scope] Subscribe scope
                 * @property {string|null} [kind] Subscribe kind
                 * @property {string|null} [name] Subscribe name
                 * @property {Uint8Array|null} [state] Subscribe state
                 * @property {number|null} [epoch] Subscribe epoch
                 * @property {boolean|null} [direct] Subscribe direct
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Subscribe.
                 * @memberof hawser.tunnel.v1
                 * @interface ISubscribe
                 * @augments hawser.tunnel.v1.Subscribe.$Properties
                 * @deprecated Use hawser.tunnel.v1.Subscribe.$Properties instead.
                 */

                /**
                 * Shape of a Subscribe.
                 * @typedef {hawser.tunnel.v1.Subscribe.$Properties} hawser.tunnel.v1.Subscribe.$Shape
                 */

                /**
                 * Constructs a new Subscribe.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Subscribe.
                 * @constructor
                 * @param {hawser.tunnel.v1.Subscribe.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Subscribe = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Subscribe scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.scope = 0;

                /**
                 * Subscribe kind.
                 * @member {string} kind
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.kind = "";

                /**
                 * Subscribe name.
                 * @member {string} name
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.name = "";

                /**
                 * Subscribe state.
                 * @member {Uint8Array} state
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.state = $util.newBuffer([]);

                /**
                 * Subscribe epoch.
                 * @member {number} epoch
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.epoch = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Subscribe direct.
                 * @member {boolean} direct
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @instance
                 */
                Subscribe.prototype.direct = false;

                /**
                 * Encodes the specified Subscribe message. Does not implicitly {@link hawser.tunnel.v1.Subscribe.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @static
                 * @param {hawser.tunnel.v1.Subscribe.$Properties} message Subscribe message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Subscribe.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.scope);
                    if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.kind);
                    if (message.name != null && $Object.hasOwnProperty.call(message, "name") && message.name !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.name);
                    if (message.state != null && $Object.hasOwnProperty.call(message, "state") && message.state.length)
                        writer.uint32(/* id 4, wireType 2 =*/34).bytes(message.state);
                    if (message.epoch != null && $Object.hasOwnProperty.call(message, "epoch") && (typeof message.epoch === "object" ? message.epoch.low || message.epoch.high : message.epoch !== 0))
                        writer.uint32(/* id 5, wireType 0 =*/40).uint64(message.epoch);
                    if (message.direct != null && $Object.hasOwnProperty.call(message, "direct") && message.direct !== false)
                        writer.uint32(/* id 6, wireType 0 =*/48).bool(message.direct);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Subscribe message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Subscribe
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Subscribe & hawser.tunnel.v1.Subscribe.$Shape} Subscribe
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Subscribe.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Subscribe();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.kind = value;
                                else
                                    delete message.kind;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.name = value;
                                else
                                    delete message.name;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.state = value;
                                else
                                    delete message.state;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.epoch = value;
                                else
                                    delete message.epoch;
                                continue;
                            }
                        case 6: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.direct = value;
                                else
                                    delete message.direct;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Subscribe;
            })();

            v1.Unsubscribe = (function() {

                /**
                 * Properties of an Unsubscribe.
                 * @typedef {Object} hawser.tunnel.v1.Unsubscribe.$Properties
                 * @property {number|null} [scope] Unsubscribe scope
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an Unsubscribe.
                 * @memberof hawser.tunnel.v1
                 * @interface IUnsubscribe
                 * @augments hawser.tunnel.v1.Unsubscribe.$Properties
                 * @deprecated Use hawser.tunnel.v1.Unsubscribe.$Properties instead.
                 */

                /**
                 * Shape of an Unsubscribe.
                 * @typedef {hawser.tunnel.v1.Unsubscribe.$Properties} hawser.tunnel.v1.Unsubscribe.$Shape
                 */

                /**
                 * Constructs a new Unsubscribe.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents an Unsubscribe.
                 * @constructor
                 * @param {hawser.tunnel.v1.Unsubscribe.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Unsubscribe = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Unsubscribe scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.Unsubscribe
                 * @instance
                 */
                Unsubscribe.prototype.scope = 0;

                /**
                 * Encodes the specified Unsubscribe message. Does not implicitly {@link hawser.tunnel.v1.Unsubscribe.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Unsubscribe
                 * @static
                 * @param {hawser.tunnel.v1.Unsubscribe.$Properties} message Unsubscribe message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Unsubscribe.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.scope);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an Unsubscribe message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Unsubscribe
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Unsubscribe & hawser.tunnel.v1.Unsubscribe.$Shape} Unsubscribe
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Unsubscribe.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Unsubscribe();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Unsubscribe;
            })();

            v1.Delta = (function() {

                /**
                 * Properties of a Delta.
                 * @typedef {Object} hawser.tunnel.v1.Delta.$Properties
                 * @property {number|null} [scope] Delta scope
                 * @property {number|null} [sequence] Delta sequence
                 * @property {Uint8Array|null} [body] Delta body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Delta.
                 * @memberof hawser.tunnel.v1
                 * @interface IDelta
                 * @augments hawser.tunnel.v1.Delta.$Properties
                 * @deprecated Use hawser.tunnel.v1.Delta.$Properties instead.
                 */

                /**
                 * Shape of a Delta.
                 * @typedef {hawser.tunnel.v1.Delta.$Properties} hawser.tunnel.v1.Delta.$Shape
                 */

                /**
                 * Constructs a new Delta.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Delta.
                 * @constructor
                 * @param {hawser.tunnel.v1.Delta.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Delta = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Delta scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.Delta
                 * @instance
                 */
                Delta.prototype.scope = 0;

                /**
                 * Delta sequence.
                 * @member {number} sequence
                 * @memberof hawser.tunnel.v1.Delta
                 * @instance
                 */
                Delta.prototype.sequence = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Delta body.
                 * @member {Uint8Array} body
                 * @memberof hawser.tunnel.v1.Delta
                 * @instance
                 */
                Delta.prototype.body = $util.newBuffer([]);

                /**
                 * Encodes the specified Delta message. Does not implicitly {@link hawser.tunnel.v1.Delta.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Delta
                 * @static
                 * @param {hawser.tunnel.v1.Delta.$Properties} message Delta message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Delta.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.scope);
                    if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && (typeof message.sequence === "object" ? message.sequence.low || message.sequence.high : message.sequence !== 0))
                        writer.uint32(/* id 2, wireType 0 =*/16).uint64(message.sequence);
                    if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.body);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Delta message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Delta
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Delta & hawser.tunnel.v1.Delta.$Shape} Delta
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Delta.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Delta();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.sequence = value;
                                else
                                    delete message.sequence;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.body = value;
                                else
                                    delete message.body;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Delta;
            })();

            v1.DeltaAck = (function() {

                /**
                 * Properties of a DeltaAck.
                 * @typedef {Object} hawser.tunnel.v1.DeltaAck.$Properties
                 * @property {number|null} [scope] DeltaAck scope
                 * @property {number|null} [sequence] DeltaAck sequence
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a DeltaAck.
                 * @memberof hawser.tunnel.v1
                 * @interface IDeltaAck
                 * @augments hawser.tunnel.v1.DeltaAck.$Properties
                 * @deprecated Use hawser.tunnel.v1.DeltaAck.$Properties instead.
                 */

                /**
                 * Shape of a DeltaAck.
                 * @typedef {hawser.tunnel.v1.DeltaAck.$Properties} hawser.tunnel.v1.DeltaAck.$Shape
                 */

                /**
                 * Constructs a new DeltaAck.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a DeltaAck.
                 * @constructor
                 * @param {hawser.tunnel.v1.DeltaAck.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const DeltaAck = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * DeltaAck scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.DeltaAck
                 * @instance
                 */
                DeltaAck.prototype.scope = 0;

                /**
                 * DeltaAck sequence.
                 * @member {number} sequence
                 * @memberof hawser.tunnel.v1.DeltaAck
                 * @instance
                 */
                DeltaAck.prototype.sequence = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified DeltaAck message. Does not implicitly {@link hawser.tunnel.v1.DeltaAck.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.DeltaAck
                 * @static
                 * @param {hawser.tunnel.v1.DeltaAck.$Properties} message DeltaAck message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                DeltaAck.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.scope);
                    if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && (typeof message.sequence === "object" ? message.sequence.low || message.sequence.high : message.sequence !== 0))
                        writer.uint32(/* id 2, wireType 0 =*/16).uint64(message.sequence);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a DeltaAck message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.DeltaAck
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.DeltaAck & hawser.tunnel.v1.DeltaAck.$Shape} DeltaAck
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                DeltaAck.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.DeltaAck();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.sequence = value;
                                else
                                    delete message.sequence;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return DeltaAck;
            })();

            v1.Upstream = (function() {

                /**
                 * Properties of an Upstream.
                 * @typedef {Object} hawser.tunnel.v1.Upstream.$Properties
                 * @property {number|null} [sequence] Upstream sequence
                 * @property {string|null} [kind] Upstream kind
                 * @property {Uint8Array|null} [body] Upstream body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an Upstream.
                 * @memberof hawser.tunnel.v1
                 * @interface IUpstream
                 * @augments hawser.tunnel.v1.Upstream.$Properties
                 * @deprecated Use hawser.tunnel.v1.Upstream.$Properties instead.
                 */

                /**
                 * Shape of an Upstream.
                 * @typedef {hawser.tunnel.v1.Upstream.$Properties} hawser.tunnel.v1.Upstream.$Shape
                 */

                /**
                 * Constructs a new Upstream.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents an Upstream.
                 * @constructor
                 * @param {hawser.tunnel.v1.Upstream.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Upstream = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Upstream sequence.
                 * @member {number} sequence
                 * @memberof hawser.tunnel.v1.Upstream
                 * @instance
                 */
                Upstream.prototype.sequence = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Upstream kind.
                 * @member {string} kind
                 * @memberof hawser.tunnel.v1.Upstream
                 * @instance
                 */
                Upstream.prototype.kind = "";

                /**
                 * Upstream body.
                 * @member {Uint8Array} body
                 * @memberof hawser.tunnel.v1.Upstream
                 * @instance
                 */
                Upstream.prototype.body = $util.newBuffer([]);

                /**
                 * Encodes the specified Upstream message. Does not implicitly {@link hawser.tunnel.v1.Upstream.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Upstream
                 * @static
                 * @param {hawser.tunnel.v1.Upstream.$Properties} message Upstream message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Upstream.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && (typeof message.sequence === "object" ? message.sequence.low || message.sequence.high : message.sequence !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.sequence);
                    if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.kind);
                    if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.body);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an Upstream message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Upstream
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Upstream & hawser.tunnel.v1.Upstream.$Shape} Upstream
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Upstream.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Upstream();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.sequence = value;
                                else
                                    delete message.sequence;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.kind = value;
                                else
                                    delete message.kind;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.body = value;
                                else
                                    delete message.body;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Upstream;
            })();

            v1.UpstreamAck = (function() {

                /**
                 * Properties of an UpstreamAck.
                 * @typedef {Object} hawser.tunnel.v1.UpstreamAck.$Properties
                 * @property {number|null} [sequence] UpstreamAck sequence
                 * @property {number|null} [status] UpstreamAck status
                 * @property {string|null} [message] UpstreamAck message
                 * @property {number|null} [retryAfterMs] UpstreamAck retryAfterMs
                 * @property {Uint8Array|null} [body] UpstreamAck body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an UpstreamAck.
                 * @memberof hawser.tunnel.v1
                 * @interface IUpstreamAck
                 * @augments hawser.tunnel.v1.UpstreamAck.$Properties
                 * @deprecated Use hawser.tunnel.v1.UpstreamAck.$Properties instead.
                 */

                /**
                 * Shape of an UpstreamAck.
                 * @typedef {hawser.tunnel.v1.UpstreamAck.$Properties} hawser.tunnel.v1.UpstreamAck.$Shape
                 */

                /**
                 * Constructs a new UpstreamAck.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents an UpstreamAck.
                 * @constructor
                 * @param {hawser.tunnel.v1.UpstreamAck.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const UpstreamAck = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * UpstreamAck sequence.
                 * @member {number} sequence
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @instance
                 */
                UpstreamAck.prototype.sequence = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * UpstreamAck status.
                 * @member {number} status
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @instance
                 */
                UpstreamAck.prototype.status = 0;

                /**
                 * UpstreamAck message.
                 * @member {string} message
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @instance
                 */
                UpstreamAck.prototype.message = "";

                /**
                 * UpstreamAck retryAfterMs.
                 * @member {number} retryAfterMs
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @instance
                 */
                UpstreamAck.prototype.retryAfterMs = 0;

                /**
                 * UpstreamAck body.
                 * @member {Uint8Array} body
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @instance
                 */
                UpstreamAck.prototype.body = $util.newBuffer([]);

                /**
                 * Encodes the specified UpstreamAck message. Does not implicitly {@link hawser.tunnel.v1.UpstreamAck.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @static
                 * @param {hawser.tunnel.v1.UpstreamAck.$Properties} message UpstreamAck message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                UpstreamAck.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.sequence != null && $Object.hasOwnProperty.call(message, "sequence") && (typeof message.sequence === "object" ? message.sequence.low || message.sequence.high : message.sequence !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.sequence);
                    if (message.status != null && $Object.hasOwnProperty.call(message, "status") && message.status !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.status);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 3, wireType 2 =*/26).string(message.message);
                    if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs") && message.retryAfterMs !== 0)
                        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.retryAfterMs);
                    if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                        writer.uint32(/* id 5, wireType 2 =*/42).bytes(message.body);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an UpstreamAck message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.UpstreamAck
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.UpstreamAck & hawser.tunnel.v1.UpstreamAck.$Shape} UpstreamAck
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                UpstreamAck.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.UpstreamAck();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.sequence = value;
                                else
                                    delete message.sequence;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.status = value;
                                else
                                    delete message.status;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.retryAfterMs = value;
                                else
                                    delete message.retryAfterMs;
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.body = value;
                                else
                                    delete message.body;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return UpstreamAck;
            })();

            v1.ScopeReport = (function() {

                /**
                 * Properties of a ScopeReport.
                 * @typedef {Object} hawser.tunnel.v1.ScopeReport.$Properties
                 * @property {number|null} [scope] ScopeReport scope
                 * @property {Uint8Array|null} [body] ScopeReport body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ScopeReport.
                 * @memberof hawser.tunnel.v1
                 * @interface IScopeReport
                 * @augments hawser.tunnel.v1.ScopeReport.$Properties
                 * @deprecated Use hawser.tunnel.v1.ScopeReport.$Properties instead.
                 */

                /**
                 * Shape of a ScopeReport.
                 * @typedef {hawser.tunnel.v1.ScopeReport.$Properties} hawser.tunnel.v1.ScopeReport.$Shape
                 */

                /**
                 * Constructs a new ScopeReport.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a ScopeReport.
                 * @constructor
                 * @param {hawser.tunnel.v1.ScopeReport.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ScopeReport = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ScopeReport scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.ScopeReport
                 * @instance
                 */
                ScopeReport.prototype.scope = 0;

                /**
                 * ScopeReport body.
                 * @member {Uint8Array} body
                 * @memberof hawser.tunnel.v1.ScopeReport
                 * @instance
                 */
                ScopeReport.prototype.body = $util.newBuffer([]);

                /**
                 * Encodes the specified ScopeReport message. Does not implicitly {@link hawser.tunnel.v1.ScopeReport.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.ScopeReport
                 * @static
                 * @param {hawser.tunnel.v1.ScopeReport.$Properties} message ScopeReport message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ScopeReport.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.scope);
                    if (message.body != null && $Object.hasOwnProperty.call(message, "body") && message.body.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.body);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ScopeReport message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.ScopeReport
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ScopeReport & hawser.tunnel.v1.ScopeReport.$Shape} ScopeReport
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ScopeReport.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.ScopeReport();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.body = value;
                                else
                                    delete message.body;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ScopeReport;
            })();

            v1.ReportRequest = (function() {

                /**
                 * Properties of a ReportRequest.
                 * @typedef {Object} hawser.tunnel.v1.ReportRequest.$Properties
                 * @property {Array.<string>|null} [kinds] ReportRequest kinds
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ReportRequest.
                 * @memberof hawser.tunnel.v1
                 * @interface IReportRequest
                 * @augments hawser.tunnel.v1.ReportRequest.$Properties
                 * @deprecated Use hawser.tunnel.v1.ReportRequest.$Properties instead.
                 */

                /**
                 * Shape of a ReportRequest.
                 * @typedef {hawser.tunnel.v1.ReportRequest.$Properties} hawser.tunnel.v1.ReportRequest.$Shape
                 */

                /**
                 * Constructs a new ReportRequest.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a ReportRequest.
                 * @constructor
                 * @param {hawser.tunnel.v1.ReportRequest.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ReportRequest = function (properties) {
                    this.kinds = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ReportRequest kinds.
                 * @member {Array.<string>} kinds
                 * @memberof hawser.tunnel.v1.ReportRequest
                 * @instance
                 */
                ReportRequest.prototype.kinds = $util.emptyArray;

                /**
                 * Encodes the specified ReportRequest message. Does not implicitly {@link hawser.tunnel.v1.ReportRequest.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.ReportRequest
                 * @static
                 * @param {hawser.tunnel.v1.ReportRequest.$Properties} message ReportRequest message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ReportRequest.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.kinds != null && message.kinds.length)
                        for (let i = 0; i < message.kinds.length; ++i)
                            writer.uint32(/* id 1, wireType 2 =*/10).string(message.kinds[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ReportRequest message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.ReportRequest
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ReportRequest & hawser.tunnel.v1.ReportRequest.$Shape} ReportRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ReportRequest.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.ReportRequest();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.kinds && message.kinds.length))
                                    message.kinds = [];
                                message.kinds.push(reader.stringVerify());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ReportRequest;
            })();

            v1.SessionError = (function() {

                /**
                 * Properties of a SessionError.
                 * @typedef {Object} hawser.tunnel.v1.SessionError.$Properties
                 * @property {string|null} [code] SessionError code
                 * @property {string|null} [message] SessionError message
                 * @property {number|null} [scope] SessionError scope
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a SessionError.
                 * @memberof hawser.tunnel.v1
                 * @interface ISessionError
                 * @augments hawser.tunnel.v1.SessionError.$Properties
                 * @deprecated Use hawser.tunnel.v1.SessionError.$Properties instead.
                 */

                /**
                 * Shape of a SessionError.
                 * @typedef {hawser.tunnel.v1.SessionError.$Properties} hawser.tunnel.v1.SessionError.$Shape
                 */

                /**
                 * Constructs a new SessionError.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a SessionError.
                 * @constructor
                 * @param {hawser.tunnel.v1.SessionError.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const SessionError = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * SessionError code.
                 * @member {string} code
                 * @memberof hawser.tunnel.v1.SessionError
                 * @instance
                 */
                SessionError.prototype.code = "";

                /**
                 * SessionError message.
                 * @member {string} message
                 * @memberof hawser.tunnel.v1.SessionError
                 * @instance
                 */
                SessionError.prototype.message = "";

                /**
                 * SessionError scope.
                 * @member {number} scope
                 * @memberof hawser.tunnel.v1.SessionError
                 * @instance
                 */
                SessionError.prototype.scope = 0;

                /**
                 * Encodes the specified SessionError message. Does not implicitly {@link hawser.tunnel.v1.SessionError.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.SessionError
                 * @static
                 * @param {hawser.tunnel.v1.SessionError.$Properties} message SessionError message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                SessionError.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.code);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.scope != null && $Object.hasOwnProperty.call(message, "scope") && message.scope !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.scope);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a SessionError message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.SessionError
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.SessionError & hawser.tunnel.v1.SessionError.$Shape} SessionError
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                SessionError.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.SessionError();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.scope = value;
                                else
                                    delete message.scope;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return SessionError;
            })();

            v1.Frame = (function() {

                /**
                 * Properties of a Frame.
                 * @typedef {Object} hawser.tunnel.v1.Frame.$Properties
                 * @property {hawser.tunnel.v1.Hello.$Properties|null} [hello] Frame hello
                 * @property {hawser.tunnel.v1.Welcome.$Properties|null} [welcome] Frame welcome
                 * @property {hawser.tunnel.v1.Reject.$Properties|null} [reject] Frame reject
                 * @property {hawser.tunnel.v1.BulkRequest.$Properties|null} [bulkRequest] Frame bulkRequest
                 * @property {hawser.tunnel.v1.BulkRelease.$Properties|null} [bulkRelease] Frame bulkRelease
                 * @property {hawser.tunnel.v1.Subscribe.$Properties|null} [subscribe] Frame subscribe
                 * @property {hawser.tunnel.v1.Unsubscribe.$Properties|null} [unsubscribe] Frame unsubscribe
                 * @property {hawser.tunnel.v1.Delta.$Properties|null} [delta] Frame delta
                 * @property {hawser.tunnel.v1.DeltaAck.$Properties|null} [deltaAck] Frame deltaAck
                 * @property {hawser.tunnel.v1.Upstream.$Properties|null} [upstream] Frame upstream
                 * @property {hawser.tunnel.v1.UpstreamAck.$Properties|null} [upstreamAck] Frame upstreamAck
                 * @property {hawser.tunnel.v1.SessionError.$Properties|null} [error] Frame error
                 * @property {hawser.tunnel.v1.ScopeReport.$Properties|null} [scopeReport] Frame scopeReport
                 * @property {hawser.tunnel.v1.ReportRequest.$Properties|null} [reportRequest] Frame reportRequest
                 * @property {boolean|null} [ignorable] Frame ignorable
                 * @property {"hello"|"welcome"|"reject"|"bulkRequest"|"bulkRelease"|"subscribe"|"unsubscribe"|"delta"|"deltaAck"|"upstream"|"upstreamAck"|"error"|"scopeReport"|"reportRequest"} [body] Frame body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Frame.
                 * @memberof hawser.tunnel.v1
                 * @interface IFrame
                 * @augments hawser.tunnel.v1.Frame.$Properties
                 * @deprecated Use hawser.tunnel.v1.Frame.$Properties instead.
                 */

                /**
                 * Narrowed shape of a Frame.
                 * @typedef {{
                 *   hello?: hawser.tunnel.v1.Hello.$Shape|null;
                 *   welcome?: hawser.tunnel.v1.Welcome.$Shape|null;
                 *   reject?: hawser.tunnel.v1.Reject.$Shape|null;
                 *   bulkRequest?: hawser.tunnel.v1.BulkRequest.$Shape|null;
                 *   bulkRelease?: hawser.tunnel.v1.BulkRelease.$Shape|null;
                 *   subscribe?: hawser.tunnel.v1.Subscribe.$Shape|null;
                 *   unsubscribe?: hawser.tunnel.v1.Unsubscribe.$Shape|null;
                 *   delta?: hawser.tunnel.v1.Delta.$Shape|null;
                 *   deltaAck?: hawser.tunnel.v1.DeltaAck.$Shape|null;
                 *   upstream?: hawser.tunnel.v1.Upstream.$Shape|null;
                 *   upstreamAck?: hawser.tunnel.v1.UpstreamAck.$Shape|null;
                 *   error?: hawser.tunnel.v1.SessionError.$Shape|null;
                 *   scopeReport?: hawser.tunnel.v1.ScopeReport.$Shape|null;
                 *   reportRequest?: hawser.tunnel.v1.ReportRequest.$Shape|null;
                 *   ignorable?: boolean|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ body?: undefined; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "hello"; hello: hawser.tunnel.v1.Hello.$Shape; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "welcome"; hello?: null; welcome: hawser.tunnel.v1.Welcome.$Shape; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "reject"; hello?: null; welcome?: null; reject: hawser.tunnel.v1.Reject.$Shape; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "bulkRequest"; hello?: null; welcome?: null; reject?: null; bulkRequest: hawser.tunnel.v1.BulkRequest.$Shape; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "bulkRelease"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease: hawser.tunnel.v1.BulkRelease.$Shape; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "subscribe"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe: hawser.tunnel.v1.Subscribe.$Shape; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "unsubscribe"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe: hawser.tunnel.v1.Unsubscribe.$Shape; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "delta"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta: hawser.tunnel.v1.Delta.$Shape; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "deltaAck"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck: hawser.tunnel.v1.DeltaAck.$Shape; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "upstream"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream: hawser.tunnel.v1.Upstream.$Shape; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "upstreamAck"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck: hawser.tunnel.v1.UpstreamAck.$Shape; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "error"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error: hawser.tunnel.v1.SessionError.$Shape; scopeReport?: null; reportRequest?: null }|{ body?: "scopeReport"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport: hawser.tunnel.v1.ScopeReport.$Shape; reportRequest?: null }|{ body?: "reportRequest"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest: hawser.tunnel.v1.ReportRequest.$Shape })
                 * )} hawser.tunnel.v1.Frame.$Shape
                 */

                /**
                 * Constructs a new Frame.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a Frame.
                 * @constructor
                 * @param {hawser.tunnel.v1.Frame.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Frame = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Frame hello.
                 * @member {hawser.tunnel.v1.Hello.$Properties|null|undefined} hello
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.hello = null;

                /**
                 * Frame welcome.
                 * @member {hawser.tunnel.v1.Welcome.$Properties|null|undefined} welcome
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.welcome = null;

                /**
                 * Frame reject.
                 * @member {hawser.tunnel.v1.Reject.$Properties|null|undefined} reject
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.reject = null;

                /**
                 * Frame bulkRequest.
                 * @member {hawser.tunnel.v1.BulkRequest.$Properties|null|undefined} bulkRequest
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.bulkRequest = null;

                /**
                 * Frame bulkRelease.
                 * @member {hawser.tunnel.v1.BulkRelease.$Properties|null|undefined} bulkRelease
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.bulkRelease = null;

                /**
                 * Frame subscribe.
                 * @member {hawser.tunnel.v1.Subscribe.$Properties|null|undefined} subscribe
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.subscribe = null;

                /**
                 * Frame unsubscribe.
                 * @member {hawser.tunnel.v1.Unsubscribe.$Properties|null|undefined} unsubscribe
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.unsubscribe = null;

                /**
                 * Frame delta.
                 * @member {hawser.tunnel.v1.Delta.$Properties|null|undefined} delta
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.delta = null;

                /**
                 * Frame deltaAck.
                 * @member {hawser.tunnel.v1.DeltaAck.$Properties|null|undefined} deltaAck
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.deltaAck = null;

                /**
                 * Frame upstream.
                 * @member {hawser.tunnel.v1.Upstream.$Properties|null|undefined} upstream
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.upstream = null;

                /**
                 * Frame upstreamAck.
                 * @member {hawser.tunnel.v1.UpstreamAck.$Properties|null|undefined} upstreamAck
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.upstreamAck = null;

                /**
                 * Frame error.
                 * @member {hawser.tunnel.v1.SessionError.$Properties|null|undefined} error
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.error = null;

                /**
                 * Frame scopeReport.
                 * @member {hawser.tunnel.v1.ScopeReport.$Properties|null|undefined} scopeReport
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.scopeReport = null;

                /**
                 * Frame reportRequest.
                 * @member {hawser.tunnel.v1.ReportRequest.$Properties|null|undefined} reportRequest
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.reportRequest = null;

                /**
                 * Frame ignorable.
                 * @member {boolean} ignorable
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                Frame.prototype.ignorable = false;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * Frame body.
                 * @member {"hello"|"welcome"|"reject"|"bulkRequest"|"bulkRelease"|"subscribe"|"unsubscribe"|"delta"|"deltaAck"|"upstream"|"upstreamAck"|"error"|"scopeReport"|"reportRequest"|undefined} body
                 * @memberof hawser.tunnel.v1.Frame
                 * @instance
                 */
                $Object.defineProperty(Frame.prototype, "body", {
                    get: $util.oneOfGetter($oneOfFields = ["hello", "welcome", "reject", "bulkRequest", "bulkRelease", "subscribe", "unsubscribe", "delta", "deltaAck", "upstream", "upstreamAck", "error", "scopeReport", "reportRequest"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified Frame message. Does not implicitly {@link hawser.tunnel.v1.Frame.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.Frame
                 * @static
                 * @param {hawser.tunnel.v1.Frame.$Properties} message Frame message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Frame.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                        $root.hawser.tunnel.v1.Hello.encode(message.hello, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.welcome != null && $Object.hasOwnProperty.call(message, "welcome"))
                        $root.hawser.tunnel.v1.Welcome.encode(message.welcome, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.reject != null && $Object.hasOwnProperty.call(message, "reject"))
                        $root.hawser.tunnel.v1.Reject.encode(message.reject, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.bulkRequest != null && $Object.hasOwnProperty.call(message, "bulkRequest"))
                        $root.hawser.tunnel.v1.BulkRequest.encode(message.bulkRequest, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.bulkRelease != null && $Object.hasOwnProperty.call(message, "bulkRelease"))
                        $root.hawser.tunnel.v1.BulkRelease.encode(message.bulkRelease, writer.uint32(/* id 5, wireType 2 =*/42).fork(), _depth + 1).ldelim();
                    if (message.subscribe != null && $Object.hasOwnProperty.call(message, "subscribe"))
                        $root.hawser.tunnel.v1.Subscribe.encode(message.subscribe, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.unsubscribe != null && $Object.hasOwnProperty.call(message, "unsubscribe"))
                        $root.hawser.tunnel.v1.Unsubscribe.encode(message.unsubscribe, writer.uint32(/* id 7, wireType 2 =*/58).fork(), _depth + 1).ldelim();
                    if (message.delta != null && $Object.hasOwnProperty.call(message, "delta"))
                        $root.hawser.tunnel.v1.Delta.encode(message.delta, writer.uint32(/* id 8, wireType 2 =*/66).fork(), _depth + 1).ldelim();
                    if (message.deltaAck != null && $Object.hasOwnProperty.call(message, "deltaAck"))
                        $root.hawser.tunnel.v1.DeltaAck.encode(message.deltaAck, writer.uint32(/* id 9, wireType 2 =*/74).fork(), _depth + 1).ldelim();
                    if (message.upstream != null && $Object.hasOwnProperty.call(message, "upstream"))
                        $root.hawser.tunnel.v1.Upstream.encode(message.upstream, writer.uint32(/* id 10, wireType 2 =*/82).fork(), _depth + 1).ldelim();
                    if (message.upstreamAck != null && $Object.hasOwnProperty.call(message, "upstreamAck"))
                        $root.hawser.tunnel.v1.UpstreamAck.encode(message.upstreamAck, writer.uint32(/* id 11, wireType 2 =*/90).fork(), _depth + 1).ldelim();
                    if (message.error != null && $Object.hasOwnProperty.call(message, "error"))
                        $root.hawser.tunnel.v1.SessionError.encode(message.error, writer.uint32(/* id 12, wireType 2 =*/98).fork(), _depth + 1).ldelim();
                    if (message.scopeReport != null && $Object.hasOwnProperty.call(message, "scopeReport"))
                        $root.hawser.tunnel.v1.ScopeReport.encode(message.scopeReport, writer.uint32(/* id 13, wireType 2 =*/106).fork(), _depth + 1).ldelim();
                    if (message.reportRequest != null && $Object.hasOwnProperty.call(message, "reportRequest"))
                        $root.hawser.tunnel.v1.ReportRequest.encode(message.reportRequest, writer.uint32(/* id 14, wireType 2 =*/114).fork(), _depth + 1).ldelim();
                    if (message.ignorable != null && $Object.hasOwnProperty.call(message, "ignorable") && message.ignorable !== false)
                        writer.uint32(/* id 15, wireType 0 =*/120).bool(message.ignorable);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Frame message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.Frame
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Frame & hawser.tunnel.v1.Frame.$Shape} Frame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Frame.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.Frame();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.hello = $root.hawser.tunnel.v1.Hello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                                message.body = "hello";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.welcome = $root.hawser.tunnel.v1.Welcome.decode(reader, reader.size(), $undefined, _depth + 1, message.welcome);
                                message.body = "welcome";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.reject = $root.hawser.tunnel.v1.Reject.decode(reader, reader.size(), $undefined, _depth + 1, message.reject);
                                message.body = "reject";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.bulkRequest = $root.hawser.tunnel.v1.BulkRequest.decode(reader, reader.size(), $undefined, _depth + 1, message.bulkRequest);
                                message.body = "bulkRequest";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 2)
                                    break;
                                message.bulkRelease = $root.hawser.tunnel.v1.BulkRelease.decode(reader, reader.size(), $undefined, _depth + 1, message.bulkRelease);
                                message.body = "bulkRelease";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.subscribe = $root.hawser.tunnel.v1.Subscribe.decode(reader, reader.size(), $undefined, _depth + 1, message.subscribe);
                                message.body = "subscribe";
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                message.unsubscribe = $root.hawser.tunnel.v1.Unsubscribe.decode(reader, reader.size(), $undefined, _depth + 1, message.unsubscribe);
                                message.body = "unsubscribe";
                                continue;
                            }
                        case 8: {
                                if (wireType !== 2)
                                    break;
                                message.delta = $root.hawser.tunnel.v1.Delta.decode(reader, reader.size(), $undefined, _depth + 1, message.delta);
                                message.body = "delta";
                                continue;
                            }
                        case 9: {
                                if (wireType !== 2)
                                    break;
                                message.deltaAck = $root.hawser.tunnel.v1.DeltaAck.decode(reader, reader.size(), $undefined, _depth + 1, message.deltaAck);
                                message.body = "deltaAck";
                                continue;
                            }
                        case 10: {
                                if (wireType !== 2)
                                    break;
                                message.upstream = $root.hawser.tunnel.v1.Upstream.decode(reader, reader.size(), $undefined, _depth + 1, message.upstream);
                                message.body = "upstream";
                                continue;
                            }
                        case 11: {
                                if (wireType !== 2)
                                    break;
                                message.upstreamAck = $root.hawser.tunnel.v1.UpstreamAck.decode(reader, reader.size(), $undefined, _depth + 1, message.upstreamAck);
                                message.body = "upstreamAck";
                                continue;
                            }
                        case 12: {
                                if (wireType !== 2)
                                    break;
                                message.error = $root.hawser.tunnel.v1.SessionError.decode(reader, reader.size(), $undefined, _depth + 1, message.error);
                                message.body = "error";
                                continue;
                            }
                        case 13: {
                                if (wireType !== 2)
                                    break;
                                message.scopeReport = $root.hawser.tunnel.v1.ScopeReport.decode(reader, reader.size(), $undefined, _depth + 1, message.scopeReport);
                                message.body = "scopeReport";
                                continue;
                            }
                        case 14: {
                                if (wireType !== 2)
                                    break;
                                message.reportRequest = $root.hawser.tunnel.v1.ReportRequest.decode(reader, reader.size(), $undefined, _depth + 1, message.reportRequest);
                                message.body = "reportRequest";
                                continue;
                            }
                        case 15: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.ignorable = value;
                                else
                                    delete message.ignorable;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Frame;
            })();

            v1.StreamOpen = (function() {

                /**
                 * Properties of a StreamOpen.
                 * @typedef {Object} hawser.tunnel.v1.StreamOpen.$Properties
                 * @property {string|null} [kind] StreamOpen kind
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a StreamOpen.
                 * @memberof hawser.tunnel.v1
                 * @interface IStreamOpen
                 * @augments hawser.tunnel.v1.StreamOpen.$Properties
                 * @deprecated Use hawser.tunnel.v1.StreamOpen.$Properties instead.
                 */

                /**
                 * Shape of a StreamOpen.
                 * @typedef {hawser.tunnel.v1.StreamOpen.$Properties} hawser.tunnel.v1.StreamOpen.$Shape
                 */

                /**
                 * Constructs a new StreamOpen.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a StreamOpen.
                 * @constructor
                 * @param {hawser.tunnel.v1.StreamOpen.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const StreamOpen = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * StreamOpen kind.
                 * @member {string} kind
                 * @memberof hawser.tunnel.v1.StreamOpen
                 * @instance
                 */
                StreamOpen.prototype.kind = "";

                /**
                 * Encodes the specified StreamOpen message. Does not implicitly {@link hawser.tunnel.v1.StreamOpen.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.StreamOpen
                 * @static
                 * @param {hawser.tunnel.v1.StreamOpen.$Properties} message StreamOpen message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                StreamOpen.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.kind != null && $Object.hasOwnProperty.call(message, "kind") && message.kind !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.kind);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a StreamOpen message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.StreamOpen
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.StreamOpen & hawser.tunnel.v1.StreamOpen.$Shape} StreamOpen
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                StreamOpen.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.StreamOpen();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.kind = value;
                                else
                                    delete message.kind;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return StreamOpen;
            })();

            /**
             * CloseCode enum.
             * @name hawser.tunnel.v1.CloseCode
             * @enum {number}
             * @property {number} CLOSE_CODE_UNSPECIFIED=0 CLOSE_CODE_UNSPECIFIED value
             * @property {number} CLOSE_CODE_NORMAL=1 CLOSE_CODE_NORMAL value
             * @property {number} CLOSE_CODE_GOING_AWAY=2 CLOSE_CODE_GOING_AWAY value
             * @property {number} CLOSE_CODE_REPLACED=3 CLOSE_CODE_REPLACED value
             * @property {number} CLOSE_CODE_OVERLOADED=4 CLOSE_CODE_OVERLOADED value
             * @property {number} CLOSE_CODE_PROTOCOL_ERROR=5 CLOSE_CODE_PROTOCOL_ERROR value
             * @property {number} CLOSE_CODE_LIMIT_EXCEEDED=6 CLOSE_CODE_LIMIT_EXCEEDED value
             * @property {number} CLOSE_CODE_UNAUTHORIZED=7 CLOSE_CODE_UNAUTHORIZED value
             * @property {number} CLOSE_CODE_REVOKED=8 CLOSE_CODE_REVOKED value
             * @property {number} CLOSE_CODE_HEARTBEAT_TIMEOUT=9 CLOSE_CODE_HEARTBEAT_TIMEOUT value
             * @property {number} CLOSE_CODE_INCOMPATIBLE=10 CLOSE_CODE_INCOMPATIBLE value
             * @property {number} CLOSE_CODE_HANDSHAKE_TIMEOUT=11 CLOSE_CODE_HANDSHAKE_TIMEOUT value
             * @property {number} CLOSE_CODE_INTERNAL=12 CLOSE_CODE_INTERNAL value
             */
            v1.CloseCode = (function() {
                const valuesById = $Object.create(null), values = $Object.create(valuesById);
                values[valuesById[0] = "CLOSE_CODE_UNSPECIFIED"] = 0;
                values[valuesById[1] = "CLOSE_CODE_NORMAL"] = 1;
                values[valuesById[2] = "CLOSE_CODE_GOING_AWAY"] = 2;
                values[valuesById[3] = "CLOSE_CODE_REPLACED"] = 3;
                values[valuesById[4] = "CLOSE_CODE_OVERLOADED"] = 4;
                values[valuesById[5] = "CLOSE_CODE_PROTOCOL_ERROR"] = 5;
                values[valuesById[6] = "CLOSE_CODE_LIMIT_EXCEEDED"] = 6;
                values[valuesById[7] = "CLOSE_CODE_UNAUTHORIZED"] = 7;
                values[valuesById[8] = "CLOSE_CODE_REVOKED"] = 8;
                values[valuesById[9] = "CLOSE_CODE_HEARTBEAT_TIMEOUT"] = 9;
                values[valuesById[10] = "CLOSE_CODE_INCOMPATIBLE"] = 10;
                values[valuesById[11] = "CLOSE_CODE_HANDSHAKE_TIMEOUT"] = 11;
                values[valuesById[12] = "CLOSE_CODE_INTERNAL"] = 12;
                return values;
            })();

            v1.CloseNotice = (function() {

                /**
                 * Properties of a CloseNotice.
                 * @typedef {Object} hawser.tunnel.v1.CloseNotice.$Properties
                 * @property {hawser.tunnel.v1.CloseCode|null} [code] CloseNotice code
                 * @property {string|null} [message] CloseNotice message
                 * @property {number|null} [retryAfterMs] CloseNotice retryAfterMs
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a CloseNotice.
                 * @memberof hawser.tunnel.v1
                 * @interface ICloseNotice
                 * @augments hawser.tunnel.v1.CloseNotice.$Properties
                 * @deprecated Use hawser.tunnel.v1.CloseNotice.$Properties instead.
                 */

                /**
                 * Shape of a CloseNotice.
                 * @typedef {hawser.tunnel.v1.CloseNotice.$Properties} hawser.tunnel.v1.CloseNotice.$Shape
                 */

                /**
                 * Constructs a new CloseNotice.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a CloseNotice.
                 * @constructor
                 * @param {hawser.tunnel.v1.CloseNotice.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const CloseNotice = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * CloseNotice code.
                 * @member {hawser.tunnel.v1.CloseCode} code
                 * @memberof hawser.tunnel.v1.CloseNotice
                 * @instance
                 */
                CloseNotice.prototype.code = 0;

                /**
                 * CloseNotice message.
                 * @member {string} message
                 * @memberof hawser.tunnel.v1.CloseNotice
                 * @instance
                 */
                CloseNotice.prototype.message = "";

                /**
                 * CloseNotice retryAfterMs.
                 * @member {number} retryAfterMs
                 * @memberof hawser.tunnel.v1.CloseNotice
                 * @instance
                 */
                CloseNotice.prototype.retryAfterMs = 0;

                /**
                 * Encodes the specified CloseNotice message. Does not implicitly {@link hawser.tunnel.v1.CloseNotice.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.CloseNotice
                 * @static
                 * @param {hawser.tunnel.v1.CloseNotice.$Properties} message CloseNotice message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                CloseNotice.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).int32(message.code);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.retryAfterMs != null && $Object.hasOwnProperty.call(message, "retryAfterMs") && message.retryAfterMs !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.retryAfterMs);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a CloseNotice message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.CloseNotice
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.CloseNotice & hawser.tunnel.v1.CloseNotice.$Shape} CloseNotice
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                CloseNotice.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.CloseNotice();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.int32())
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.retryAfterMs = value;
                                else
                                    delete message.retryAfterMs;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return CloseNotice;
            })();

            v1.PeerHello = (function() {

                /**
                 * Properties of a PeerHello.
                 * @typedef {Object} hawser.tunnel.v1.PeerHello.$Properties
                 * @property {Array.<Uint8Array>|null} [certificates] PeerHello certificates
                 * @property {Uint8Array|null} [proof] PeerHello proof
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a PeerHello.
                 * @memberof hawser.tunnel.v1
                 * @interface IPeerHello
                 * @augments hawser.tunnel.v1.PeerHello.$Properties
                 * @deprecated Use hawser.tunnel.v1.PeerHello.$Properties instead.
                 */

                /**
                 * Shape of a PeerHello.
                 * @typedef {hawser.tunnel.v1.PeerHello.$Properties} hawser.tunnel.v1.PeerHello.$Shape
                 */

                /**
                 * Constructs a new PeerHello.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a PeerHello.
                 * @constructor
                 * @param {hawser.tunnel.v1.PeerHello.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const PeerHello = function (properties) {
                    this.certificates = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * PeerHello certificates.
                 * @member {Array.<Uint8Array>} certificates
                 * @memberof hawser.tunnel.v1.PeerHello
                 * @instance
                 */
                PeerHello.prototype.certificates = $util.emptyArray;

                /**
                 * PeerHello proof.
                 * @member {Uint8Array} proof
                 * @memberof hawser.tunnel.v1.PeerHello
                 * @instance
                 */
                PeerHello.prototype.proof = $util.newBuffer([]);

                /**
                 * Encodes the specified PeerHello message. Does not implicitly {@link hawser.tunnel.v1.PeerHello.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.PeerHello
                 * @static
                 * @param {hawser.tunnel.v1.PeerHello.$Properties} message PeerHello message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                PeerHello.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.certificates != null && message.certificates.length)
                        for (let i = 0; i < message.certificates.length; ++i)
                            writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.certificates[i]);
                    if (message.proof != null && $Object.hasOwnProperty.call(message, "proof") && message.proof.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.proof);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a PeerHello message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.PeerHello
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerHello & hawser.tunnel.v1.PeerHello.$Shape} PeerHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                PeerHello.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.PeerHello();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.certificates && message.certificates.length))
                                    message.certificates = [];
                                message.certificates.push(reader.bytes());
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.proof = value;
                                else
                                    delete message.proof;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return PeerHello;
            })();

            v1.PeerAccepted = (function() {

                /**
                 * Properties of a PeerAccepted.
                 * @typedef {Object} hawser.tunnel.v1.PeerAccepted.$Properties
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a PeerAccepted.
                 * @memberof hawser.tunnel.v1
                 * @interface IPeerAccepted
                 * @augments hawser.tunnel.v1.PeerAccepted.$Properties
                 * @deprecated Use hawser.tunnel.v1.PeerAccepted.$Properties instead.
                 */

                /**
                 * Shape of a PeerAccepted.
                 * @typedef {hawser.tunnel.v1.PeerAccepted.$Properties} hawser.tunnel.v1.PeerAccepted.$Shape
                 */

                /**
                 * Constructs a new PeerAccepted.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a PeerAccepted.
                 * @constructor
                 * @param {hawser.tunnel.v1.PeerAccepted.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const PeerAccepted = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Encodes the specified PeerAccepted message. Does not implicitly {@link hawser.tunnel.v1.PeerAccepted.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.PeerAccepted
                 * @static
                 * @param {hawser.tunnel.v1.PeerAccepted.$Properties} message PeerAccepted message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                PeerAccepted.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a PeerAccepted message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.PeerAccepted
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerAccepted & hawser.tunnel.v1.PeerAccepted.$Shape} PeerAccepted
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                PeerAccepted.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.PeerAccepted();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        reader.skipType(tag & 7, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return PeerAccepted;
            })();

            v1.PeerRefused = (function() {

                /**
                 * Properties of a PeerRefused.
                 * @typedef {Object} hawser.tunnel.v1.PeerRefused.$Properties
                 * @property {string|null} [code] PeerRefused code
                 * @property {string|null} [message] PeerRefused message
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a PeerRefused.
                 * @memberof hawser.tunnel.v1
                 * @interface IPeerRefused
                 * @augments hawser.tunnel.v1.PeerRefused.$Properties
                 * @deprecated Use hawser.tunnel.v1.PeerRefused.$Properties instead.
                 */

                /**
                 * Shape of a PeerRefused.
                 * @typedef {hawser.tunnel.v1.PeerRefused.$Properties} hawser.tunnel.v1.PeerRefused.$Shape
                 */

                /**
                 * Constructs a new PeerRefused.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a PeerRefused.
                 * @constructor
                 * @param {hawser.tunnel.v1.PeerRefused.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const PeerRefused = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * PeerRefused code.
                 * @member {string} code
                 * @memberof hawser.tunnel.v1.PeerRefused
                 * @instance
                 */
                PeerRefused.prototype.code = "";

                /**
                 * PeerRefused message.
                 * @member {string} message
                 * @memberof hawser.tunnel.v1.PeerRefused
                 * @instance
                 */
                PeerRefused.prototype.message = "";

                /**
                 * Encodes the specified PeerRefused message. Does not implicitly {@link hawser.tunnel.v1.PeerRefused.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.PeerRefused
                 * @static
                 * @param {hawser.tunnel.v1.PeerRefused.$Properties} message PeerRefused message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                PeerRefused.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.code != null && $Object.hasOwnProperty.call(message, "code") && message.code !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.code);
                    if (message.message != null && $Object.hasOwnProperty.call(message, "message") && message.message !== "")
                        writer.uint32(/* id 2, wireType 2 =*/18).string(message.message);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a PeerRefused message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.PeerRefused
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerRefused & hawser.tunnel.v1.PeerRefused.$Shape} PeerRefused
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                PeerRefused.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.PeerRefused();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.code = value;
                                else
                                    delete message.code;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.message = value;
                                else
                                    delete message.message;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return PeerRefused;
            })();

            v1.ConnectionFrame = (function() {

                /**
                 * Properties of a ConnectionFrame.
                 * @typedef {Object} hawser.tunnel.v1.ConnectionFrame.$Properties
                 * @property {hawser.tunnel.v1.PeerHello.$Properties|null} [hello] ConnectionFrame hello
                 * @property {hawser.tunnel.v1.PeerAccepted.$Properties|null} [accepted] ConnectionFrame accepted
                 * @property {hawser.tunnel.v1.PeerRefused.$Properties|null} [refused] ConnectionFrame refused
                 * @property {number|null} [ping] ConnectionFrame ping
                 * @property {number|null} [pong] ConnectionFrame pong
                 * @property {hawser.tunnel.v1.CloseNotice.$Properties|null} [close] ConnectionFrame close
                 * @property {boolean|null} [ignorable] ConnectionFrame ignorable
                 * @property {"hello"|"accepted"|"refused"|"ping"|"pong"|"close"} [body] ConnectionFrame body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ConnectionFrame.
                 * @memberof hawser.tunnel.v1
                 * @interface IConnectionFrame
                 * @augments hawser.tunnel.v1.ConnectionFrame.$Properties
                 * @deprecated Use hawser.tunnel.v1.ConnectionFrame.$Properties instead.
                 */

                /**
                 * Narrowed shape of a ConnectionFrame.
                 * @typedef {{
                 *   hello?: hawser.tunnel.v1.PeerHello.$Shape|null;
                 *   accepted?: hawser.tunnel.v1.PeerAccepted.$Shape|null;
                 *   refused?: hawser.tunnel.v1.PeerRefused.$Shape|null;
                 *   ping?: number|null;
                 *   pong?: number|null;
                 *   close?: hawser.tunnel.v1.CloseNotice.$Shape|null;
                 *   ignorable?: boolean|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ body?: undefined; hello?: null; accepted?: null; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "hello"; hello: hawser.tunnel.v1.PeerHello.$Shape; accepted?: null; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "accepted"; hello?: null; accepted: hawser.tunnel.v1.PeerAccepted.$Shape; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "refused"; hello?: null; accepted?: null; refused: hawser.tunnel.v1.PeerRefused.$Shape; ping?: null; pong?: null; close?: null }|{ body?: "ping"; hello?: null; accepted?: null; refused?: null; ping: number; pong?: null; close?: null }|{ body?: "pong"; hello?: null; accepted?: null; refused?: null; ping?: null; pong: number; close?: null }|{ body?: "close"; hello?: null; accepted?: null; refused?: null; ping?: null; pong?: null; close: hawser.tunnel.v1.CloseNotice.$Shape })
                 * )} hawser.tunnel.v1.ConnectionFrame.$Shape
                 */

                /**
                 * Constructs a new ConnectionFrame.
                 * @memberof hawser.tunnel.v1
                 * @classdesc Represents a ConnectionFrame.
                 * @constructor
                 * @param {hawser.tunnel.v1.ConnectionFrame.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ConnectionFrame = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ConnectionFrame hello.
                 * @member {hawser.tunnel.v1.PeerHello.$Properties|null|undefined} hello
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.hello = null;

                /**
                 * ConnectionFrame accepted.
                 * @member {hawser.tunnel.v1.PeerAccepted.$Properties|null|undefined} accepted
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.accepted = null;

                /**
                 * ConnectionFrame refused.
                 * @member {hawser.tunnel.v1.PeerRefused.$Properties|null|undefined} refused
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.refused = null;

                /**
                 * ConnectionFrame ping.
                 * @member {number|null|undefined} ping
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.ping = null;

                /**
                 * ConnectionFrame pong.
                 * @member {number|null|undefined} pong
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.pong = null;

                /**
                 * ConnectionFrame close.
                 * @member {hawser.tunnel.v1.CloseNotice.$Properties|null|undefined} close
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.close = null;

                /**
                 * ConnectionFrame ignorable.
                 * @member {boolean} ignorable
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                ConnectionFrame.prototype.ignorable = false;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * ConnectionFrame body.
                 * @member {"hello"|"accepted"|"refused"|"ping"|"pong"|"close"|undefined} body
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @instance
                 */
                $Object.defineProperty(ConnectionFrame.prototype, "body", {
                    get: $util.oneOfGetter($oneOfFields = ["hello", "accepted", "refused", "ping", "pong", "close"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified ConnectionFrame message. Does not implicitly {@link hawser.tunnel.v1.ConnectionFrame.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @static
                 * @param {hawser.tunnel.v1.ConnectionFrame.$Properties} message ConnectionFrame message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ConnectionFrame.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.hello != null && $Object.hasOwnProperty.call(message, "hello"))
                        $root.hawser.tunnel.v1.PeerHello.encode(message.hello, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.accepted != null && $Object.hasOwnProperty.call(message, "accepted"))
                        $root.hawser.tunnel.v1.PeerAccepted.encode(message.accepted, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.refused != null && $Object.hasOwnProperty.call(message, "refused"))
                        $root.hawser.tunnel.v1.PeerRefused.encode(message.refused, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.ping != null && $Object.hasOwnProperty.call(message, "ping"))
                        writer.uint32(/* id 4, wireType 0 =*/32).uint32(message.ping);
                    if (message.pong != null && $Object.hasOwnProperty.call(message, "pong"))
                        writer.uint32(/* id 5, wireType 0 =*/40).uint32(message.pong);
                    if (message.close != null && $Object.hasOwnProperty.call(message, "close"))
                        $root.hawser.tunnel.v1.CloseNotice.encode(message.close, writer.uint32(/* id 6, wireType 2 =*/50).fork(), _depth + 1).ldelim();
                    if (message.ignorable != null && $Object.hasOwnProperty.call(message, "ignorable") && message.ignorable !== false)
                        writer.uint32(/* id 15, wireType 0 =*/120).bool(message.ignorable);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ConnectionFrame message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.tunnel.v1.ConnectionFrame
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ConnectionFrame & hawser.tunnel.v1.ConnectionFrame.$Shape} ConnectionFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ConnectionFrame.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.tunnel.v1.ConnectionFrame();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.hello = $root.hawser.tunnel.v1.PeerHello.decode(reader, reader.size(), $undefined, _depth + 1, message.hello);
                                message.body = "hello";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.accepted = $root.hawser.tunnel.v1.PeerAccepted.decode(reader, reader.size(), $undefined, _depth + 1, message.accepted);
                                message.body = "accepted";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.refused = $root.hawser.tunnel.v1.PeerRefused.decode(reader, reader.size(), $undefined, _depth + 1, message.refused);
                                message.body = "refused";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                message.ping = reader.uint32();
                                message.body = "ping";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                message.pong = reader.uint32();
                                message.body = "pong";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                message.close = $root.hawser.tunnel.v1.CloseNotice.decode(reader, reader.size(), $undefined, _depth + 1, message.close);
                                message.body = "close";
                                continue;
                            }
                        case 15: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.ignorable = value;
                                else
                                    delete message.ignorable;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ConnectionFrame;
            })();

            return v1;
        })();

        return tunnel;
    })();

    hawser.sync = (function() {

        /**
         * Namespace sync.
         * @memberof hawser
         * @namespace
         */
        const sync = {};

        sync.v1 = (function() {

            /**
             * Namespace v1.
             * @memberof hawser.sync
             * @namespace
             */
            const v1 = {};

            v1.ScopeState = (function() {

                /**
                 * Properties of a ScopeState.
                 * @typedef {Object} hawser.sync.v1.ScopeState.$Properties
                 * @property {number|null} [normalForm] ScopeState normalForm
                 * @property {Uint8Array|null} [digest] ScopeState digest
                 * @property {number|null} [count] ScopeState count
                 * @property {Uint8Array|null} [stamp] ScopeState stamp
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ScopeState.
                 * @memberof hawser.sync.v1
                 * @interface IScopeState
                 * @augments hawser.sync.v1.ScopeState.$Properties
                 * @deprecated Use hawser.sync.v1.ScopeState.$Properties instead.
                 */

                /**
                 * Shape of a ScopeState.
                 * @typedef {hawser.sync.v1.ScopeState.$Properties} hawser.sync.v1.ScopeState.$Shape
                 */

                /**
                 * Constructs a new ScopeState.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a ScopeState.
                 * @constructor
                 * @param {hawser.sync.v1.ScopeState.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ScopeState = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ScopeState normalForm.
                 * @member {number} normalForm
                 * @memberof hawser.sync.v1.ScopeState
                 * @instance
                 */
                ScopeState.prototype.normalForm = 0;

                /**
                 * ScopeState digest.
                 * @member {Uint8Array} digest
                 * @memberof hawser.sync.v1.ScopeState
                 * @instance
                 */
                ScopeState.prototype.digest = $util.newBuffer([]);

                /**
                 * ScopeState count.
                 * @member {number} count
                 * @memberof hawser.sync.v1.ScopeState
                 * @instance
                 */
                ScopeState.prototype.count = 0;

                /**
                 * ScopeState stamp.
                 * @member {Uint8Array} stamp
                 * @memberof hawser.sync.v1.ScopeState
                 * @instance
                 */
                ScopeState.prototype.stamp = $util.newBuffer([]);

                /**
                 * Encodes the specified ScopeState message. Does not implicitly {@link hawser.sync.v1.ScopeState.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.ScopeState
                 * @static
                 * @param {hawser.sync.v1.ScopeState.$Properties} message ScopeState message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ScopeState.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.normalForm != null && $Object.hasOwnProperty.call(message, "normalForm") && message.normalForm !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.normalForm);
                    if (message.digest != null && $Object.hasOwnProperty.call(message, "digest") && message.digest.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.digest);
                    if (message.count != null && $Object.hasOwnProperty.call(message, "count") && message.count !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.count);
                    if (message.stamp != null && $Object.hasOwnProperty.call(message, "stamp") && message.stamp.length)
                        writer.uint32(/* id 4, wireType 2 =*/34).bytes(message.stamp);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ScopeState message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.ScopeState
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.ScopeState & hawser.sync.v1.ScopeState.$Shape} ScopeState
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ScopeState.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.ScopeState();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.normalForm = value;
                                else
                                    delete message.normalForm;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.digest = value;
                                else
                                    delete message.digest;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.count = value;
                                else
                                    delete message.count;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.stamp = value;
                                else
                                    delete message.stamp;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ScopeState;
            })();

            v1.HubMessage = (function() {

                /**
                 * Properties of a HubMessage.
                 * @typedef {Object} hawser.sync.v1.HubMessage.$Properties
                 * @property {hawser.sync.v1.InSync.$Properties|null} [inSync] HubMessage inSync
                 * @property {hawser.sync.v1.AskInventory.$Properties|null} [askInventory] HubMessage askInventory
                 * @property {hawser.sync.v1.Batch.$Properties|null} [batch] HubMessage batch
                 * @property {hawser.sync.v1.ConfirmRemovals.$Properties|null} [confirmRemovals] HubMessage confirmRemovals
                 * @property {"inSync"|"askInventory"|"batch"|"confirmRemovals"} [body] HubMessage body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a HubMessage.
                 * @memberof hawser.sync.v1
                 * @interface IHubMessage
                 * @augments hawser.sync.v1.HubMessage.$Properties
                 * @deprecated Use hawser.sync.v1.HubMessage.$Properties instead.
                 */

                /**
                 * Narrowed shape of a HubMessage.
                 * @typedef {{
                 *   inSync?: hawser.sync.v1.InSync.$Shape|null;
                 *   askInventory?: hawser.sync.v1.AskInventory.$Shape|null;
                 *   batch?: hawser.sync.v1.Batch.$Shape|null;
                 *   confirmRemovals?: hawser.sync.v1.ConfirmRemovals.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ body?: undefined; inSync?: null; askInventory?: null; batch?: null; confirmRemovals?: null }|{ body?: "inSync"; inSync: hawser.sync.v1.InSync.$Shape; askInventory?: null; batch?: null; confirmRemovals?: null }|{ body?: "askInventory"; inSync?: null; askInventory: hawser.sync.v1.AskInventory.$Shape; batch?: null; confirmRemovals?: null }|{ body?: "batch"; inSync?: null; askInventory?: null; batch: hawser.sync.v1.Batch.$Shape; confirmRemovals?: null }|{ body?: "confirmRemovals"; inSync?: null; askInventory?: null; batch?: null; confirmRemovals: hawser.sync.v1.ConfirmRemovals.$Shape })
                 * )} hawser.sync.v1.HubMessage.$Shape
                 */

                /**
                 * Constructs a new HubMessage.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a HubMessage.
                 * @constructor
                 * @param {hawser.sync.v1.HubMessage.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const HubMessage = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * HubMessage inSync.
                 * @member {hawser.sync.v1.InSync.$Properties|null|undefined} inSync
                 * @memberof hawser.sync.v1.HubMessage
                 * @instance
                 */
                HubMessage.prototype.inSync = null;

                /**
                 * HubMessage askInventory.
                 * @member {hawser.sync.v1.AskInventory.$Properties|null|undefined} askInventory
                 * @memberof hawser.sync.v1.HubMessage
                 * @instance
                 */
                HubMessage.prototype.askInventory = null;

                /**
                 * HubMessage batch.
                 * @member {hawser.sync.v1.Batch.$Properties|null|undefined} batch
                 * @memberof hawser.sync.v1.HubMessage
                 * @instance
                 */
                HubMessage.prototype.batch = null;

                /**
                 * HubMessage confirmRemovals.
                 * @member {hawser.sync.v1.ConfirmRemovals.$Properties|null|undefined} confirmRemovals
                 * @memberof hawser.sync.v1.HubMessage
                 * @instance
                 */
                HubMessage.prototype.confirmRemovals = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * HubMessage body.
                 * @member {"inSync"|"askInventory"|"batch"|"confirmRemovals"|undefined} body
                 * @memberof hawser.sync.v1.HubMessage
                 * @instance
                 */
                $Object.defineProperty(HubMessage.prototype, "body", {
                    get: $util.oneOfGetter($oneOfFields = ["inSync", "askInventory", "batch", "confirmRemovals"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified HubMessage message. Does not implicitly {@link hawser.sync.v1.HubMessage.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.HubMessage
                 * @static
                 * @param {hawser.sync.v1.HubMessage.$Properties} message HubMessage message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                HubMessage.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.inSync != null && $Object.hasOwnProperty.call(message, "inSync"))
                        $root.hawser.sync.v1.InSync.encode(message.inSync, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.askInventory != null && $Object.hasOwnProperty.call(message, "askInventory"))
                        $root.hawser.sync.v1.AskInventory.encode(message.askInventory, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.batch != null && $Object.hasOwnProperty.call(message, "batch"))
                        $root.hawser.sync.v1.Batch.encode(message.batch, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.confirmRemovals != null && $Object.hasOwnProperty.call(message, "confirmRemovals"))
                        $root.hawser.sync.v1.ConfirmRemovals.encode(message.confirmRemovals, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a HubMessage message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.HubMessage
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.HubMessage & hawser.sync.v1.HubMessage.$Shape} HubMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                HubMessage.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.HubMessage();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.inSync = $root.hawser.sync.v1.InSync.decode(reader, reader.size(), $undefined, _depth + 1, message.inSync);
                                message.body = "inSync";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.askInventory = $root.hawser.sync.v1.AskInventory.decode(reader, reader.size(), $undefined, _depth + 1, message.askInventory);
                                message.body = "askInventory";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.batch = $root.hawser.sync.v1.Batch.decode(reader, reader.size(), $undefined, _depth + 1, message.batch);
                                message.body = "batch";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.confirmRemovals = $root.hawser.sync.v1.ConfirmRemovals.decode(reader, reader.size(), $undefined, _depth + 1, message.confirmRemovals);
                                message.body = "confirmRemovals";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return HubMessage;
            })();

            v1.InSync = (function() {

                /**
                 * Properties of an InSync.
                 * @typedef {Object} hawser.sync.v1.InSync.$Properties
                 * @property {Uint8Array|null} [stamp] InSync stamp
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an InSync.
                 * @memberof hawser.sync.v1
                 * @interface IInSync
                 * @augments hawser.sync.v1.InSync.$Properties
                 * @deprecated Use hawser.sync.v1.InSync.$Properties instead.
                 */

                /**
                 * Shape of an InSync.
                 * @typedef {hawser.sync.v1.InSync.$Properties} hawser.sync.v1.InSync.$Shape
                 */

                /**
                 * Constructs a new InSync.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents an InSync.
                 * @constructor
                 * @param {hawser.sync.v1.InSync.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const InSync = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * InSync stamp.
                 * @member {Uint8Array} stamp
                 * @memberof hawser.sync.v1.InSync
                 * @instance
                 */
                InSync.prototype.stamp = $util.newBuffer([]);

                /**
                 * Encodes the specified InSync message. Does not implicitly {@link hawser.sync.v1.InSync.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.InSync
                 * @static
                 * @param {hawser.sync.v1.InSync.$Properties} message InSync message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                InSync.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.stamp != null && $Object.hasOwnProperty.call(message, "stamp") && message.stamp.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.stamp);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an InSync message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.InSync
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.InSync & hawser.sync.v1.InSync.$Shape} InSync
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                InSync.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.InSync();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.stamp = value;
                                else
                                    delete message.stamp;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return InSync;
            })();

            v1.AskInventory = (function() {

                /**
                 * Properties of an AskInventory.
                 * @typedef {Object} hawser.sync.v1.AskInventory.$Properties
                 * @property {number|null} [buckets] AskInventory buckets
                 * @property {Array.<number>|null} [wanted] AskInventory wanted
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an AskInventory.
                 * @memberof hawser.sync.v1
                 * @interface IAskInventory
                 * @augments hawser.sync.v1.AskInventory.$Properties
                 * @deprecated Use hawser.sync.v1.AskInventory.$Properties instead.
                 */

                /**
                 * Shape of an AskInventory.
                 * @typedef {hawser.sync.v1.AskInventory.$Properties} hawser.sync.v1.AskInventory.$Shape
                 */

                /**
                 * Constructs a new AskInventory.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents an AskInventory.
                 * @constructor
                 * @param {hawser.sync.v1.AskInventory.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const AskInventory = function (properties) {
                    this.wanted = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * AskInventory buckets.
                 * @member {number} buckets
                 * @memberof hawser.sync.v1.AskInventory
                 * @instance
                 */
                AskInventory.prototype.buckets = 0;

                /**
                 * AskInventory wanted.
                 * @member {Array.<number>} wanted
                 * @memberof hawser.sync.v1.AskInventory
                 * @instance
                 */
                AskInventory.prototype.wanted = $util.emptyArray;

                /**
                 * Encodes the specified AskInventory message. Does not implicitly {@link hawser.sync.v1.AskInventory.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.AskInventory
                 * @static
                 * @param {hawser.sync.v1.AskInventory.$Properties} message AskInventory message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                AskInventory.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.buckets != null && $Object.hasOwnProperty.call(message, "buckets") && message.buckets !== 0)
                        writer.uint32(/* id 1, wireType 0 =*/8).uint32(message.buckets);
                    if (message.wanted != null && message.wanted.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).uint32s(message.wanted);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an AskInventory message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.AskInventory
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.AskInventory & hawser.sync.v1.AskInventory.$Shape} AskInventory
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                AskInventory.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.AskInventory();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.buckets = value;
                                else
                                    delete message.buckets;
                                continue;
                            }
                        case 2: {
                                if (wireType === 2) {
                                    if (!(message.wanted && message.wanted.length))
                                        message.wanted = [];
                                    reader.uint32s(message.wanted);
                                    continue;
                                }
                                if (wireType !== 0)
                                    break;
                                if (!(message.wanted && message.wanted.length))
                                    message.wanted = [];
                                message.wanted.push(reader.uint32());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return AskInventory;
            })();

            v1.Batch = (function() {

                /**
                 * Properties of a Batch.
                 * @typedef {Object} hawser.sync.v1.Batch.$Properties
                 * @property {Array.<hawser.sync.v1.Change.$Properties>|null} [changes] Batch changes
                 * @property {Uint8Array|null} [stamp] Batch stamp
                 * @property {number|null} [normalForm] Batch normalForm
                 * @property {boolean|null} [inSync] Batch inSync
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Batch.
                 * @memberof hawser.sync.v1
                 * @interface IBatch
                 * @augments hawser.sync.v1.Batch.$Properties
                 * @deprecated Use hawser.sync.v1.Batch.$Properties instead.
                 */

                /**
                 * Shape of a Batch.
                 * @typedef {{
                 *   changes?: Array.<hawser.sync.v1.Change.$Shape>|null;
                 *   stamp?: Uint8Array|null;
                 *   normalForm?: number|null;
                 *   inSync?: boolean|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * }} hawser.sync.v1.Batch.$Shape
                 */

                /**
                 * Constructs a new Batch.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a Batch.
                 * @constructor
                 * @param {hawser.sync.v1.Batch.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Batch = function (properties) {
                    this.changes = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Batch changes.
                 * @member {Array.<hawser.sync.v1.Change.$Properties>} changes
                 * @memberof hawser.sync.v1.Batch
                 * @instance
                 */
                Batch.prototype.changes = $util.emptyArray;

                /**
                 * Batch stamp.
                 * @member {Uint8Array} stamp
                 * @memberof hawser.sync.v1.Batch
                 * @instance
                 */
                Batch.prototype.stamp = $util.newBuffer([]);

                /**
                 * Batch normalForm.
                 * @member {number} normalForm
                 * @memberof hawser.sync.v1.Batch
                 * @instance
                 */
                Batch.prototype.normalForm = 0;

                /**
                 * Batch inSync.
                 * @member {boolean} inSync
                 * @memberof hawser.sync.v1.Batch
                 * @instance
                 */
                Batch.prototype.inSync = false;

                /**
                 * Encodes the specified Batch message. Does not implicitly {@link hawser.sync.v1.Batch.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.Batch
                 * @static
                 * @param {hawser.sync.v1.Batch.$Properties} message Batch message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Batch.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.changes != null && message.changes.length)
                        for (let i = 0; i < message.changes.length; ++i)
                            $root.hawser.sync.v1.Change.encode(message.changes[i], writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.stamp != null && $Object.hasOwnProperty.call(message, "stamp") && message.stamp.length)
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.stamp);
                    if (message.normalForm != null && $Object.hasOwnProperty.call(message, "normalForm") && message.normalForm !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.normalForm);
                    if (message.inSync != null && $Object.hasOwnProperty.call(message, "inSync") && message.inSync !== false)
                        writer.uint32(/* id 4, wireType 0 =*/32).bool(message.inSync);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Batch message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.Batch
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Batch & hawser.sync.v1.Batch.$Shape} Batch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Batch.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.Batch();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.changes && message.changes.length))
                                    message.changes = [];
                                message.changes.push($root.hawser.sync.v1.Change.decode(reader, reader.size(), $undefined, _depth + 1));
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.stamp = value;
                                else
                                    delete message.stamp;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.normalForm = value;
                                else
                                    delete message.normalForm;
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.inSync = value;
                                else
                                    delete message.inSync;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Batch;
            })();

            v1.Change = (function() {

                /**
                 * Properties of a Change.
                 * @typedef {Object} hawser.sync.v1.Change.$Properties
                 * @property {string|null} [key] Change key
                 * @property {Uint8Array|null} [full] Change full
                 * @property {Uint8Array|null} [delta] Change delta
                 * @property {boolean|null} [removed] Change removed
                 * @property {boolean|null} [rehashed] Change rehashed
                 * @property {Uint8Array|null} [hash] Change hash
                 * @property {Uint8Array|null} [base] Change base
                 * @property {string|null} [version] Change version
                 * @property {"full"|"delta"|"removed"|"rehashed"} [body] Change body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Change.
                 * @memberof hawser.sync.v1
                 * @interface IChange
                 * @augments hawser.sync.v1.Change.$Properties
                 * @deprecated Use hawser.sync.v1.Change.$Properties instead.
                 */

                /**
                 * Narrowed shape of a Change.
                 * @typedef {{
                 *   key?: string|null;
                 *   full?: Uint8Array|null;
                 *   delta?: Uint8Array|null;
                 *   removed?: boolean|null;
                 *   rehashed?: boolean|null;
                 *   hash?: Uint8Array|null;
                 *   base?: Uint8Array|null;
                 *   version?: string|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ body?: undefined; full?: null; delta?: null; removed?: null; rehashed?: null }|{ body?: "full"; full: Uint8Array; delta?: null; removed?: null; rehashed?: null }|{ body?: "delta"; full?: null; delta: Uint8Array; removed?: null; rehashed?: null }|{ body?: "removed"; full?: null; delta?: null; removed: boolean; rehashed?: null }|{ body?: "rehashed"; full?: null; delta?: null; removed?: null; rehashed: boolean })
                 * )} hawser.sync.v1.Change.$Shape
                 */

                /**
                 * Constructs a new Change.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a Change.
                 * @constructor
                 * @param {hawser.sync.v1.Change.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Change = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Change key.
                 * @member {string} key
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.key = "";

                /**
                 * Change full.
                 * @member {Uint8Array|null|undefined} full
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.full = null;

                /**
                 * Change delta.
                 * @member {Uint8Array|null|undefined} delta
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.delta = null;

                /**
                 * Change removed.
                 * @member {boolean|null|undefined} removed
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.removed = null;

                /**
                 * Change rehashed.
                 * @member {boolean|null|undefined} rehashed
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.rehashed = null;

                /**
                 * Change hash.
                 * @member {Uint8Array} hash
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.hash = $util.newBuffer([]);

                /**
                 * Change base.
                 * @member {Uint8Array} base
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.base = $util.newBuffer([]);

                /**
                 * Change version.
                 * @member {string} version
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                Change.prototype.version = "";

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * Change body.
                 * @member {"full"|"delta"|"removed"|"rehashed"|undefined} body
                 * @memberof hawser.sync.v1.Change
                 * @instance
                 */
                $Object.defineProperty(Change.prototype, "body", {
                    get: $util.oneOfGetter($oneOfFields = ["full", "delta", "removed", "rehashed"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified Change message. Does not implicitly {@link hawser.sync.v1.Change.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.Change
                 * @static
                 * @param {hawser.sync.v1.Change.$Properties} message Change message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Change.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.key != null && $Object.hasOwnProperty.call(message, "key") && message.key !== "")
                        writer.uint32(/* id 1, wireType 2 =*/10).string(message.key);
                    if (message.full != null && $Object.hasOwnProperty.call(message, "full"))
                        writer.uint32(/* id 2, wireType 2 =*/18).bytes(message.full);
                    if (message.delta != null && $Object.hasOwnProperty.call(message, "delta"))
                        writer.uint32(/* id 3, wireType 2 =*/26).bytes(message.delta);
                    if (message.removed != null && $Object.hasOwnProperty.call(message, "removed"))
                        writer.uint32(/* id 4, wireType 0 =*/32).bool(message.removed);
                    if (message.rehashed != null && $Object.hasOwnProperty.call(message, "rehashed"))
                        writer.uint32(/* id 5, wireType 0 =*/40).bool(message.rehashed);
                    if (message.hash != null && $Object.hasOwnProperty.call(message, "hash") && message.hash.length)
                        writer.uint32(/* id 6, wireType 2 =*/50).bytes(message.hash);
                    if (message.base != null && $Object.hasOwnProperty.call(message, "base") && message.base.length)
                        writer.uint32(/* id 7, wireType 2 =*/58).bytes(message.base);
                    if (message.version != null && $Object.hasOwnProperty.call(message, "version") && message.version !== "")
                        writer.uint32(/* id 8, wireType 2 =*/66).string(message.version);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Change message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.Change
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Change & hawser.sync.v1.Change.$Shape} Change
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Change.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.Change();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.key = value;
                                else
                                    delete message.key;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.full = reader.bytes();
                                message.body = "full";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.delta = reader.bytes();
                                message.body = "delta";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 0)
                                    break;
                                message.removed = reader.bool();
                                message.body = "removed";
                                continue;
                            }
                        case 5: {
                                if (wireType !== 0)
                                    break;
                                message.rehashed = reader.bool();
                                message.body = "rehashed";
                                continue;
                            }
                        case 6: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.hash = value;
                                else
                                    delete message.hash;
                                continue;
                            }
                        case 7: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.base = value;
                                else
                                    delete message.base;
                                continue;
                            }
                        case 8: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.stringVerify()).length)
                                    message.version = value;
                                else
                                    delete message.version;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Change;
            })();

            v1.ConfirmRemovals = (function() {

                /**
                 * Properties of a ConfirmRemovals.
                 * @typedef {Object} hawser.sync.v1.ConfirmRemovals.$Properties
                 * @property {number|null} [id] ConfirmRemovals id
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a ConfirmRemovals.
                 * @memberof hawser.sync.v1
                 * @interface IConfirmRemovals
                 * @augments hawser.sync.v1.ConfirmRemovals.$Properties
                 * @deprecated Use hawser.sync.v1.ConfirmRemovals.$Properties instead.
                 */

                /**
                 * Shape of a ConfirmRemovals.
                 * @typedef {hawser.sync.v1.ConfirmRemovals.$Properties} hawser.sync.v1.ConfirmRemovals.$Shape
                 */

                /**
                 * Constructs a new ConfirmRemovals.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a ConfirmRemovals.
                 * @constructor
                 * @param {hawser.sync.v1.ConfirmRemovals.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const ConfirmRemovals = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * ConfirmRemovals id.
                 * @member {number} id
                 * @memberof hawser.sync.v1.ConfirmRemovals
                 * @instance
                 */
                ConfirmRemovals.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Encodes the specified ConfirmRemovals message. Does not implicitly {@link hawser.sync.v1.ConfirmRemovals.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.ConfirmRemovals
                 * @static
                 * @param {hawser.sync.v1.ConfirmRemovals.$Properties} message ConfirmRemovals message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                ConfirmRemovals.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a ConfirmRemovals message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.ConfirmRemovals
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.ConfirmRemovals & hawser.sync.v1.ConfirmRemovals.$Shape} ConfirmRemovals
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                ConfirmRemovals.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.ConfirmRemovals();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return ConfirmRemovals;
            })();

            v1.EdgeMessage = (function() {

                /**
                 * Properties of an EdgeMessage.
                 * @typedef {Object} hawser.sync.v1.EdgeMessage.$Properties
                 * @property {hawser.sync.v1.BucketDigests.$Properties|null} [bucketDigests] EdgeMessage bucketDigests
                 * @property {hawser.sync.v1.Entries.$Properties|null} [entries] EdgeMessage entries
                 * @property {hawser.sync.v1.WantFull.$Properties|null} [wantFull] EdgeMessage wantFull
                 * @property {hawser.sync.v1.Held.$Properties|null} [held] EdgeMessage held
                 * @property {"bucketDigests"|"entries"|"wantFull"|"held"} [body] EdgeMessage body
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an EdgeMessage.
                 * @memberof hawser.sync.v1
                 * @interface IEdgeMessage
                 * @augments hawser.sync.v1.EdgeMessage.$Properties
                 * @deprecated Use hawser.sync.v1.EdgeMessage.$Properties instead.
                 */

                /**
                 * Narrowed shape of an EdgeMessage.
                 * @typedef {{
                 *   bucketDigests?: hawser.sync.v1.BucketDigests.$Shape|null;
                 *   entries?: hawser.sync.v1.Entries.$Shape|null;
                 *   wantFull?: hawser.sync.v1.WantFull.$Shape|null;
                 *   held?: hawser.sync.v1.Held.$Shape|null;
                 *   $unknowns?: Array.<Uint8Array>;
                 * } & (
                 *   ({ body?: undefined; bucketDigests?: null; entries?: null; wantFull?: null; held?: null }|{ body?: "bucketDigests"; bucketDigests: hawser.sync.v1.BucketDigests.$Shape; entries?: null; wantFull?: null; held?: null }|{ body?: "entries"; bucketDigests?: null; entries: hawser.sync.v1.Entries.$Shape; wantFull?: null; held?: null }|{ body?: "wantFull"; bucketDigests?: null; entries?: null; wantFull: hawser.sync.v1.WantFull.$Shape; held?: null }|{ body?: "held"; bucketDigests?: null; entries?: null; wantFull?: null; held: hawser.sync.v1.Held.$Shape })
                 * )} hawser.sync.v1.EdgeMessage.$Shape
                 */

                /**
                 * Constructs a new EdgeMessage.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents an EdgeMessage.
                 * @constructor
                 * @param {hawser.sync.v1.EdgeMessage.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const EdgeMessage = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * EdgeMessage bucketDigests.
                 * @member {hawser.sync.v1.BucketDigests.$Properties|null|undefined} bucketDigests
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @instance
                 */
                EdgeMessage.prototype.bucketDigests = null;

                /**
                 * EdgeMessage entries.
                 * @member {hawser.sync.v1.Entries.$Properties|null|undefined} entries
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @instance
                 */
                EdgeMessage.prototype.entries = null;

                /**
                 * EdgeMessage wantFull.
                 * @member {hawser.sync.v1.WantFull.$Properties|null|undefined} wantFull
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @instance
                 */
                EdgeMessage.prototype.wantFull = null;

                /**
                 * EdgeMessage held.
                 * @member {hawser.sync.v1.Held.$Properties|null|undefined} held
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @instance
                 */
                EdgeMessage.prototype.held = null;

                // OneOf field names bound to virtual getters and setters
                let $oneOfFields;

                /**
                 * EdgeMessage body.
                 * @member {"bucketDigests"|"entries"|"wantFull"|"held"|undefined} body
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @instance
                 */
                $Object.defineProperty(EdgeMessage.prototype, "body", {
                    get: $util.oneOfGetter($oneOfFields = ["bucketDigests", "entries", "wantFull", "held"]),
                    set: $util.oneOfSetter($oneOfFields)
                });

                /**
                 * Encodes the specified EdgeMessage message. Does not implicitly {@link hawser.sync.v1.EdgeMessage.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @static
                 * @param {hawser.sync.v1.EdgeMessage.$Properties} message EdgeMessage message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                EdgeMessage.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.bucketDigests != null && $Object.hasOwnProperty.call(message, "bucketDigests"))
                        $root.hawser.sync.v1.BucketDigests.encode(message.bucketDigests, writer.uint32(/* id 1, wireType 2 =*/10).fork(), _depth + 1).ldelim();
                    if (message.entries != null && $Object.hasOwnProperty.call(message, "entries"))
                        $root.hawser.sync.v1.Entries.encode(message.entries, writer.uint32(/* id 2, wireType 2 =*/18).fork(), _depth + 1).ldelim();
                    if (message.wantFull != null && $Object.hasOwnProperty.call(message, "wantFull"))
                        $root.hawser.sync.v1.WantFull.encode(message.wantFull, writer.uint32(/* id 3, wireType 2 =*/26).fork(), _depth + 1).ldelim();
                    if (message.held != null && $Object.hasOwnProperty.call(message, "held"))
                        $root.hawser.sync.v1.Held.encode(message.held, writer.uint32(/* id 4, wireType 2 =*/34).fork(), _depth + 1).ldelim();
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an EdgeMessage message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.EdgeMessage
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.EdgeMessage & hawser.sync.v1.EdgeMessage.$Shape} EdgeMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                EdgeMessage.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.EdgeMessage();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                message.bucketDigests = $root.hawser.sync.v1.BucketDigests.decode(reader, reader.size(), $undefined, _depth + 1, message.bucketDigests);
                                message.body = "bucketDigests";
                                continue;
                            }
                        case 2: {
                                if (wireType !== 2)
                                    break;
                                message.entries = $root.hawser.sync.v1.Entries.decode(reader, reader.size(), $undefined, _depth + 1, message.entries);
                                message.body = "entries";
                                continue;
                            }
                        case 3: {
                                if (wireType !== 2)
                                    break;
                                message.wantFull = $root.hawser.sync.v1.WantFull.decode(reader, reader.size(), $undefined, _depth + 1, message.wantFull);
                                message.body = "wantFull";
                                continue;
                            }
                        case 4: {
                                if (wireType !== 2)
                                    break;
                                message.held = $root.hawser.sync.v1.Held.decode(reader, reader.size(), $undefined, _depth + 1, message.held);
                                message.body = "held";
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return EdgeMessage;
            })();

            v1.BucketDigests = (function() {

                /**
                 * Properties of a BucketDigests.
                 * @typedef {Object} hawser.sync.v1.BucketDigests.$Properties
                 * @property {Uint8Array|null} [digests] BucketDigests digests
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a BucketDigests.
                 * @memberof hawser.sync.v1
                 * @interface IBucketDigests
                 * @augments hawser.sync.v1.BucketDigests.$Properties
                 * @deprecated Use hawser.sync.v1.BucketDigests.$Properties instead.
                 */

                /**
                 * Shape of a BucketDigests.
                 * @typedef {hawser.sync.v1.BucketDigests.$Properties} hawser.sync.v1.BucketDigests.$Shape
                 */

                /**
                 * Constructs a new BucketDigests.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a BucketDigests.
                 * @constructor
                 * @param {hawser.sync.v1.BucketDigests.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const BucketDigests = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * BucketDigests digests.
                 * @member {Uint8Array} digests
                 * @memberof hawser.sync.v1.BucketDigests
                 * @instance
                 */
                BucketDigests.prototype.digests = $util.newBuffer([]);

                /**
                 * Encodes the specified BucketDigests message. Does not implicitly {@link hawser.sync.v1.BucketDigests.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.BucketDigests
                 * @static
                 * @param {hawser.sync.v1.BucketDigests.$Properties} message BucketDigests message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                BucketDigests.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.digests != null && $Object.hasOwnProperty.call(message, "digests") && message.digests.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.digests);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a BucketDigests message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.BucketDigests
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.BucketDigests & hawser.sync.v1.BucketDigests.$Shape} BucketDigests
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                BucketDigests.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.BucketDigests();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.digests = value;
                                else
                                    delete message.digests;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return BucketDigests;
            })();

            v1.Entries = (function() {

                /**
                 * Properties of an Entries.
                 * @typedef {Object} hawser.sync.v1.Entries.$Properties
                 * @property {Uint8Array|null} [packed] Entries packed
                 * @property {boolean|null} [more] Entries more
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of an Entries.
                 * @memberof hawser.sync.v1
                 * @interface IEntries
                 * @augments hawser.sync.v1.Entries.$Properties
                 * @deprecated Use hawser.sync.v1.Entries.$Properties instead.
                 */

                /**
                 * Shape of an Entries.
                 * @typedef {hawser.sync.v1.Entries.$Properties} hawser.sync.v1.Entries.$Shape
                 */

                /**
                 * Constructs a new Entries.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents an Entries.
                 * @constructor
                 * @param {hawser.sync.v1.Entries.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Entries = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Entries packed.
                 * @member {Uint8Array} packed
                 * @memberof hawser.sync.v1.Entries
                 * @instance
                 */
                Entries.prototype.packed = $util.newBuffer([]);

                /**
                 * Entries more.
                 * @member {boolean} more
                 * @memberof hawser.sync.v1.Entries
                 * @instance
                 */
                Entries.prototype.more = false;

                /**
                 * Encodes the specified Entries message. Does not implicitly {@link hawser.sync.v1.Entries.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.Entries
                 * @static
                 * @param {hawser.sync.v1.Entries.$Properties} message Entries message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Entries.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.packed != null && $Object.hasOwnProperty.call(message, "packed") && message.packed.length)
                        writer.uint32(/* id 1, wireType 2 =*/10).bytes(message.packed);
                    if (message.more != null && $Object.hasOwnProperty.call(message, "more") && message.more !== false)
                        writer.uint32(/* id 2, wireType 0 =*/16).bool(message.more);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes an Entries message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.Entries
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Entries & hawser.sync.v1.Entries.$Shape} Entries
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Entries.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.Entries();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if ((value = reader.bytes()).length)
                                    message.packed = value;
                                else
                                    delete message.packed;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.bool())
                                    message.more = value;
                                else
                                    delete message.more;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Entries;
            })();

            v1.WantFull = (function() {

                /**
                 * Properties of a WantFull.
                 * @typedef {Object} hawser.sync.v1.WantFull.$Properties
                 * @property {Array.<string>|null} [keys] WantFull keys
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a WantFull.
                 * @memberof hawser.sync.v1
                 * @interface IWantFull
                 * @augments hawser.sync.v1.WantFull.$Properties
                 * @deprecated Use hawser.sync.v1.WantFull.$Properties instead.
                 */

                /**
                 * Shape of a WantFull.
                 * @typedef {hawser.sync.v1.WantFull.$Properties} hawser.sync.v1.WantFull.$Shape
                 */

                /**
                 * Constructs a new WantFull.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a WantFull.
                 * @constructor
                 * @param {hawser.sync.v1.WantFull.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const WantFull = function (properties) {
                    this.keys = [];
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * WantFull keys.
                 * @member {Array.<string>} keys
                 * @memberof hawser.sync.v1.WantFull
                 * @instance
                 */
                WantFull.prototype.keys = $util.emptyArray;

                /**
                 * Encodes the specified WantFull message. Does not implicitly {@link hawser.sync.v1.WantFull.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.WantFull
                 * @static
                 * @param {hawser.sync.v1.WantFull.$Properties} message WantFull message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                WantFull.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.keys != null && message.keys.length)
                        for (let i = 0; i < message.keys.length; ++i)
                            writer.uint32(/* id 1, wireType 2 =*/10).string(message.keys[i]);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a WantFull message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.WantFull
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.WantFull & hawser.sync.v1.WantFull.$Shape} WantFull
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                WantFull.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.WantFull();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 2)
                                    break;
                                if (!(message.keys && message.keys.length))
                                    message.keys = [];
                                message.keys.push(reader.stringVerify());
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return WantFull;
            })();

            v1.Held = (function() {

                /**
                 * Properties of a Held.
                 * @typedef {Object} hawser.sync.v1.Held.$Properties
                 * @property {number|null} [id] Held id
                 * @property {number|null} [removals] Held removals
                 * @property {number|null} [count] Held count
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */

                /**
                 * Properties of a Held.
                 * @memberof hawser.sync.v1
                 * @interface IHeld
                 * @augments hawser.sync.v1.Held.$Properties
                 * @deprecated Use hawser.sync.v1.Held.$Properties instead.
                 */

                /**
                 * Shape of a Held.
                 * @typedef {hawser.sync.v1.Held.$Properties} hawser.sync.v1.Held.$Shape
                 */

                /**
                 * Constructs a new Held.
                 * @memberof hawser.sync.v1
                 * @classdesc Represents a Held.
                 * @constructor
                 * @param {hawser.sync.v1.Held.$Properties=} [properties] Properties to set
                 * @property {Array.<Uint8Array>} [$unknowns] Unknown fields preserved while decoding when enabled
                 */
                const Held = function (properties) {
                    if (properties)
                        for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                            if (properties[keys[i]] != null && keys[i] !== "__proto__")
                                this[keys[i]] = properties[keys[i]];
                };

                /**
                 * Held id.
                 * @member {number} id
                 * @memberof hawser.sync.v1.Held
                 * @instance
                 */
                Held.prototype.id = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

                /**
                 * Held removals.
                 * @member {number} removals
                 * @memberof hawser.sync.v1.Held
                 * @instance
                 */
                Held.prototype.removals = 0;

                /**
                 * Held count.
                 * @member {number} count
                 * @memberof hawser.sync.v1.Held
                 * @instance
                 */
                Held.prototype.count = 0;

                /**
                 * Encodes the specified Held message. Does not implicitly {@link hawser.sync.v1.Held.verify|verify} messages.
                 * @function encode
                 * @memberof hawser.sync.v1.Held
                 * @static
                 * @param {hawser.sync.v1.Held.$Properties} message Held message or plain object to encode
                 * @param {$protobuf.Writer} [writer] Writer to encode to
                 * @returns {$protobuf.Writer} Writer
                 */
                Held.encode = function (message, writer, _depth) {
                    if (!writer)
                        writer = $Writer.create();
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $util.recursionLimit)
                        throw $Error("max depth exceeded");
                    if (message.id != null && $Object.hasOwnProperty.call(message, "id") && (typeof message.id === "object" ? message.id.low || message.id.high : message.id !== 0))
                        writer.uint32(/* id 1, wireType 0 =*/8).uint64(message.id);
                    if (message.removals != null && $Object.hasOwnProperty.call(message, "removals") && message.removals !== 0)
                        writer.uint32(/* id 2, wireType 0 =*/16).uint32(message.removals);
                    if (message.count != null && $Object.hasOwnProperty.call(message, "count") && message.count !== 0)
                        writer.uint32(/* id 3, wireType 0 =*/24).uint32(message.count);
                    if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
                        for (let i = 0; i < message.$unknowns.length; ++i)
                            writer.raw(message.$unknowns[i]);
                    return writer;
                };

                /**
                 * Decodes a Held message from the specified reader or buffer.
                 * @function decode
                 * @memberof hawser.sync.v1.Held
                 * @static
                 * @param {$protobuf.Reader|Uint8Array} reader Reader or buffer to decode from
                 * @param {number} [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Held & hawser.sync.v1.Held.$Shape} Held
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                Held.decode = function (reader, length, _end, _depth, _target) {
                    if (!(reader instanceof $Reader))
                        reader = $Reader.create(reader);
                    if (_depth === $undefined)
                        _depth = 0;
                    if (_depth > $Reader.recursionLimit)
                        throw $Error("max depth exceeded");
                    let end, message, value;
                    if (length === $undefined)
                        end = reader.len;
                    else {
                        end = reader.pos + length;
                        if (end > reader.len)
                            throw $RangeError("index out of range");
                        length = reader.len;
                        reader.len = end;
                    }
                    message = _target || new $root.hawser.sync.v1.Held();
                    while (reader.pos < end) {
                        let start = reader.pos;
                        let tag = reader.tag();
                        if (tag === _end) {
                            _end = $undefined;
                            break;
                        }
                        let wireType = tag & 7;
                        switch (tag >>>= 3) {
                        case 1: {
                                if (wireType !== 0)
                                    break;
                                if (typeof (value = reader.uint64()) === "object" ? value.low || value.high : value !== 0)
                                    message.id = value;
                                else
                                    delete message.id;
                                continue;
                            }
                        case 2: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.removals = value;
                                else
                                    delete message.removals;
                                continue;
                            }
                        case 3: {
                                if (wireType !== 0)
                                    break;
                                if (value = reader.uint32())
                                    message.count = value;
                                else
                                    delete message.count;
                                continue;
                            }
                        }
                        reader.skipType(wireType, _depth, tag);
                        if (!reader.discardUnknown) {
                            $util.makeProp(message, "$unknowns", false);
                            (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                        }
                    }
                    if (length !== $undefined) {
                        if (reader.pos !== end)
                            throw $RangeError("index out of range");
                        reader.len = length;
                    }
                    if (_end !== $undefined)
                        throw $Error("missing end group");
                    return message;
                };

                return Held;
            })();

            return v1;
        })();

        return sync;
    })();

    return hawser;
})();

export {
  $root as default
};
