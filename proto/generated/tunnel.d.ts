import * as $protobuf from "protobufjs/minimal.js";
import Long = require("long");

/** Namespace hawser. */
export namespace hawser {

    /** Namespace tunnel. */
    namespace tunnel {

        /** Namespace v1. */
        namespace v1 {

            /** Purpose enum. */
            enum Purpose {

                /** PURPOSE_UNSPECIFIED value */
                PURPOSE_UNSPECIFIED = 0,

                /** PURPOSE_CONTROL value */
                PURPOSE_CONTROL = 1,

                /** PURPOSE_BULK value */
                PURPOSE_BULK = 2
            }

            /**
             * Properties of a Hello.
             * @deprecated Use hawser.tunnel.v1.Hello.$Properties instead.
             */
            interface IHello extends hawser.tunnel.v1.Hello.$Properties {
            }

            /** Represents a Hello. */
            class Hello {

                /**
                 * Constructs a new Hello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Hello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Hello minVersion. */
                minVersion: number;

                /** Hello maxVersion. */
                maxVersion: number;

                /** Hello purpose. */
                purpose: hawser.tunnel.v1.Purpose;

                /** Hello node. */
                node: string;

                /** Hello software. */
                software: string;

                /** Hello features. */
                features: string[];

                /** Hello requiredFeatures. */
                requiredFeatures: string[];

                /** Hello heartbeatMs. */
                heartbeatMs: number;

                /** Hello lastEpoch. */
                lastEpoch: number;

                /** Hello clusterUid. */
                clusterUid: string;

                /** Hello sessionId. */
                sessionId: string;

                /** Hello resumeState. */
                resumeState: Uint8Array;

                /**
                 * Encodes the specified Hello message. Does not implicitly {@link hawser.tunnel.v1.Hello.verify|verify} messages.
                 * @param message Hello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Hello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Hello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Hello & hawser.tunnel.v1.Hello.$Shape} Hello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Hello & hawser.tunnel.v1.Hello.$Shape;
            }

            namespace Hello {

                /** Properties of a Hello. */
                interface $Properties {

                    /** Hello minVersion */
                    minVersion?: (number|null);

                    /** Hello maxVersion */
                    maxVersion?: (number|null);

                    /** Hello purpose */
                    purpose?: (hawser.tunnel.v1.Purpose|null);

                    /** Hello node */
                    node?: (string|null);

                    /** Hello software */
                    software?: (string|null);

                    /** Hello features */
                    features?: (string[]|null);

                    /** Hello requiredFeatures */
                    requiredFeatures?: (string[]|null);

                    /** Hello heartbeatMs */
                    heartbeatMs?: (number|null);

                    /** Hello lastEpoch */
                    lastEpoch?: (number|null);

                    /** Hello clusterUid */
                    clusterUid?: (string|null);

                    /** Hello sessionId */
                    sessionId?: (string|null);

                    /** Hello resumeState */
                    resumeState?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Hello. */
                type $Shape = hawser.tunnel.v1.Hello.$Properties;
            }

            /**
             * Properties of a Welcome.
             * @deprecated Use hawser.tunnel.v1.Welcome.$Properties instead.
             */
            interface IWelcome extends hawser.tunnel.v1.Welcome.$Properties {
            }

            /** Represents a Welcome. */
            class Welcome {

                /**
                 * Constructs a new Welcome.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Welcome.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Welcome version. */
                version: number;

                /** Welcome sessionId. */
                sessionId: string;

                /** Welcome epoch. */
                epoch: number;

                /** Welcome features. */
                features: string[];

                /** Welcome heartbeatMs. */
                heartbeatMs: number;

                /** Welcome clusterUid. */
                clusterUid: string;

                /** Welcome incarnation. */
                incarnation: string;

                /** Welcome timeMs. */
                timeMs: number;

                /** Welcome software. */
                software: string;

                /** Welcome maxFrameBytes. */
                maxFrameBytes: number;

                /** Welcome resumeState. */
                resumeState: Uint8Array;

                /** Welcome follows. */
                follows: string[];

                /**
                 * Encodes the specified Welcome message. Does not implicitly {@link hawser.tunnel.v1.Welcome.verify|verify} messages.
                 * @param message Welcome message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Welcome.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Welcome message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Welcome & hawser.tunnel.v1.Welcome.$Shape} Welcome
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Welcome & hawser.tunnel.v1.Welcome.$Shape;
            }

            namespace Welcome {

                /** Properties of a Welcome. */
                interface $Properties {

                    /** Welcome version */
                    version?: (number|null);

                    /** Welcome sessionId */
                    sessionId?: (string|null);

                    /** Welcome epoch */
                    epoch?: (number|null);

                    /** Welcome features */
                    features?: (string[]|null);

                    /** Welcome heartbeatMs */
                    heartbeatMs?: (number|null);

                    /** Welcome clusterUid */
                    clusterUid?: (string|null);

                    /** Welcome incarnation */
                    incarnation?: (string|null);

                    /** Welcome timeMs */
                    timeMs?: (number|null);

                    /** Welcome software */
                    software?: (string|null);

                    /** Welcome maxFrameBytes */
                    maxFrameBytes?: (number|null);

                    /** Welcome resumeState */
                    resumeState?: (Uint8Array|null);

                    /** Welcome follows */
                    follows?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Welcome. */
                type $Shape = hawser.tunnel.v1.Welcome.$Properties;
            }

            /**
             * Properties of a Reject.
             * @deprecated Use hawser.tunnel.v1.Reject.$Properties instead.
             */
            interface IReject extends hawser.tunnel.v1.Reject.$Properties {
            }

            /** Represents a Reject. */
            class Reject {

                /**
                 * Constructs a new Reject.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Reject.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Reject code. */
                code: hawser.tunnel.v1.CloseCode;

                /** Reject error. */
                error: string;

                /** Reject message. */
                message: string;

                /** Reject retryAfterMs. */
                retryAfterMs: number;

                /**
                 * Encodes the specified Reject message. Does not implicitly {@link hawser.tunnel.v1.Reject.verify|verify} messages.
                 * @param message Reject message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Reject.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Reject message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Reject & hawser.tunnel.v1.Reject.$Shape} Reject
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Reject & hawser.tunnel.v1.Reject.$Shape;
            }

            namespace Reject {

                /** Properties of a Reject. */
                interface $Properties {

                    /** Reject code */
                    code?: (hawser.tunnel.v1.CloseCode|null);

                    /** Reject error */
                    error?: (string|null);

                    /** Reject message */
                    message?: (string|null);

                    /** Reject retryAfterMs */
                    retryAfterMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Reject. */
                type $Shape = hawser.tunnel.v1.Reject.$Properties;
            }

            /**
             * Properties of a BulkRequest.
             * @deprecated Use hawser.tunnel.v1.BulkRequest.$Properties instead.
             */
            interface IBulkRequest extends hawser.tunnel.v1.BulkRequest.$Properties {
            }

            /** Represents a BulkRequest. */
            class BulkRequest {

                /**
                 * Constructs a new BulkRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.BulkRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified BulkRequest message. Does not implicitly {@link hawser.tunnel.v1.BulkRequest.verify|verify} messages.
                 * @param message BulkRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.BulkRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a BulkRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.BulkRequest & hawser.tunnel.v1.BulkRequest.$Shape} BulkRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.BulkRequest & hawser.tunnel.v1.BulkRequest.$Shape;
            }

            namespace BulkRequest {

                /** Properties of a BulkRequest. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a BulkRequest. */
                type $Shape = hawser.tunnel.v1.BulkRequest.$Properties;
            }

            /**
             * Properties of a BulkRelease.
             * @deprecated Use hawser.tunnel.v1.BulkRelease.$Properties instead.
             */
            interface IBulkRelease extends hawser.tunnel.v1.BulkRelease.$Properties {
            }

            /** Represents a BulkRelease. */
            class BulkRelease {

                /**
                 * Constructs a new BulkRelease.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.BulkRelease.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified BulkRelease message. Does not implicitly {@link hawser.tunnel.v1.BulkRelease.verify|verify} messages.
                 * @param message BulkRelease message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.BulkRelease.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a BulkRelease message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.BulkRelease & hawser.tunnel.v1.BulkRelease.$Shape} BulkRelease
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.BulkRelease & hawser.tunnel.v1.BulkRelease.$Shape;
            }

            namespace BulkRelease {

                /** Properties of a BulkRelease. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a BulkRelease. */
                type $Shape = hawser.tunnel.v1.BulkRelease.$Properties;
            }

            /**
             * Properties of a Subscribe.
             * @deprecated Use hawser.tunnel.v1.Subscribe.$Properties instead.
             */
            interface ISubscribe extends hawser.tunnel.v1.Subscribe.$Properties {
            }

            /** Represents a Subscribe. */
            class Subscribe {

                /**
                 * Constructs a new Subscribe.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Subscribe.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Subscribe scope. */
                scope: number;

                /** Subscribe kind. */
                kind: string;

                /** Subscribe name. */
                name: string;

                /** Subscribe state. */
                state: Uint8Array;

                /** Subscribe epoch. */
                epoch: number;

                /** Subscribe direct. */
                direct: boolean;

                /**
                 * Encodes the specified Subscribe message. Does not implicitly {@link hawser.tunnel.v1.Subscribe.verify|verify} messages.
                 * @param message Subscribe message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Subscribe.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Subscribe message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Subscribe & hawser.tunnel.v1.Subscribe.$Shape} Subscribe
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Subscribe & hawser.tunnel.v1.Subscribe.$Shape;
            }

            namespace Subscribe {

                /** Properties of a Subscribe. */
                interface $Properties {

                    /** Subscribe scope */
                    scope?: (number|null);

                    /** Subscribe kind */
                    kind?: (string|null);

                    /** Subscribe name */
                    name?: (string|null);

                    /** Subscribe state */
                    state?: (Uint8Array|null);

                    /** Subscribe epoch */
                    epoch?: (number|null);

                    /** Subscribe direct */
                    direct?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Subscribe. */
                type $Shape = hawser.tunnel.v1.Subscribe.$Properties;
            }

            /**
             * Properties of an Unsubscribe.
             * @deprecated Use hawser.tunnel.v1.Unsubscribe.$Properties instead.
             */
            interface IUnsubscribe extends hawser.tunnel.v1.Unsubscribe.$Properties {
            }

            /** Represents an Unsubscribe. */
            class Unsubscribe {

                /**
                 * Constructs a new Unsubscribe.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Unsubscribe.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Unsubscribe scope. */
                scope: number;

                /**
                 * Encodes the specified Unsubscribe message. Does not implicitly {@link hawser.tunnel.v1.Unsubscribe.verify|verify} messages.
                 * @param message Unsubscribe message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Unsubscribe.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Unsubscribe message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Unsubscribe & hawser.tunnel.v1.Unsubscribe.$Shape} Unsubscribe
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Unsubscribe & hawser.tunnel.v1.Unsubscribe.$Shape;
            }

            namespace Unsubscribe {

                /** Properties of an Unsubscribe. */
                interface $Properties {

                    /** Unsubscribe scope */
                    scope?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Unsubscribe. */
                type $Shape = hawser.tunnel.v1.Unsubscribe.$Properties;
            }

            /**
             * Properties of a Delta.
             * @deprecated Use hawser.tunnel.v1.Delta.$Properties instead.
             */
            interface IDelta extends hawser.tunnel.v1.Delta.$Properties {
            }

            /** Represents a Delta. */
            class Delta {

                /**
                 * Constructs a new Delta.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Delta.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Delta scope. */
                scope: number;

                /** Delta sequence. */
                sequence: number;

                /** Delta body. */
                body: Uint8Array;

                /**
                 * Encodes the specified Delta message. Does not implicitly {@link hawser.tunnel.v1.Delta.verify|verify} messages.
                 * @param message Delta message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Delta.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Delta message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Delta & hawser.tunnel.v1.Delta.$Shape} Delta
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Delta & hawser.tunnel.v1.Delta.$Shape;
            }

            namespace Delta {

                /** Properties of a Delta. */
                interface $Properties {

                    /** Delta scope */
                    scope?: (number|null);

                    /** Delta sequence */
                    sequence?: (number|null);

                    /** Delta body */
                    body?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Delta. */
                type $Shape = hawser.tunnel.v1.Delta.$Properties;
            }

            /**
             * Properties of a DeltaAck.
             * @deprecated Use hawser.tunnel.v1.DeltaAck.$Properties instead.
             */
            interface IDeltaAck extends hawser.tunnel.v1.DeltaAck.$Properties {
            }

            /** Represents a DeltaAck. */
            class DeltaAck {

                /**
                 * Constructs a new DeltaAck.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.DeltaAck.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** DeltaAck scope. */
                scope: number;

                /** DeltaAck sequence. */
                sequence: number;

                /**
                 * Encodes the specified DeltaAck message. Does not implicitly {@link hawser.tunnel.v1.DeltaAck.verify|verify} messages.
                 * @param message DeltaAck message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.DeltaAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a DeltaAck message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.DeltaAck & hawser.tunnel.v1.DeltaAck.$Shape} DeltaAck
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.DeltaAck & hawser.tunnel.v1.DeltaAck.$Shape;
            }

            namespace DeltaAck {

                /** Properties of a DeltaAck. */
                interface $Properties {

                    /** DeltaAck scope */
                    scope?: (number|null);

                    /** DeltaAck sequence */
                    sequence?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a DeltaAck. */
                type $Shape = hawser.tunnel.v1.DeltaAck.$Properties;
            }

            /**
             * Properties of an Upstream.
             * @deprecated Use hawser.tunnel.v1.Upstream.$Properties instead.
             */
            interface IUpstream extends hawser.tunnel.v1.Upstream.$Properties {
            }

            /** Represents an Upstream. */
            class Upstream {

                /**
                 * Constructs a new Upstream.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Upstream.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Upstream sequence. */
                sequence: number;

                /** Upstream kind. */
                kind: string;

                /** Upstream body. */
                body: Uint8Array;

                /**
                 * Encodes the specified Upstream message. Does not implicitly {@link hawser.tunnel.v1.Upstream.verify|verify} messages.
                 * @param message Upstream message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Upstream.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Upstream message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Upstream & hawser.tunnel.v1.Upstream.$Shape} Upstream
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Upstream & hawser.tunnel.v1.Upstream.$Shape;
            }

            namespace Upstream {

                /** Properties of an Upstream. */
                interface $Properties {

                    /** Upstream sequence */
                    sequence?: (number|null);

                    /** Upstream kind */
                    kind?: (string|null);

                    /** Upstream body */
                    body?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Upstream. */
                type $Shape = hawser.tunnel.v1.Upstream.$Properties;
            }

            /**
             * Properties of an UpstreamAck.
             * @deprecated Use hawser.tunnel.v1.UpstreamAck.$Properties instead.
             */
            interface IUpstreamAck extends hawser.tunnel.v1.UpstreamAck.$Properties {
            }

            /** Represents an UpstreamAck. */
            class UpstreamAck {

                /**
                 * Constructs a new UpstreamAck.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.UpstreamAck.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** UpstreamAck sequence. */
                sequence: number;

                /** UpstreamAck status. */
                status: number;

                /** UpstreamAck message. */
                message: string;

                /** UpstreamAck retryAfterMs. */
                retryAfterMs: number;

                /** UpstreamAck body. */
                body: Uint8Array;

                /**
                 * Encodes the specified UpstreamAck message. Does not implicitly {@link hawser.tunnel.v1.UpstreamAck.verify|verify} messages.
                 * @param message UpstreamAck message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.UpstreamAck.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an UpstreamAck message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.UpstreamAck & hawser.tunnel.v1.UpstreamAck.$Shape} UpstreamAck
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.UpstreamAck & hawser.tunnel.v1.UpstreamAck.$Shape;
            }

            namespace UpstreamAck {

                /** Properties of an UpstreamAck. */
                interface $Properties {

                    /** UpstreamAck sequence */
                    sequence?: (number|null);

                    /** UpstreamAck status */
                    status?: (number|null);

                    /** UpstreamAck message */
                    message?: (string|null);

                    /** UpstreamAck retryAfterMs */
                    retryAfterMs?: (number|null);

                    /** UpstreamAck body */
                    body?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an UpstreamAck. */
                type $Shape = hawser.tunnel.v1.UpstreamAck.$Properties;
            }

            /**
             * Properties of a ScopeReport.
             * @deprecated Use hawser.tunnel.v1.ScopeReport.$Properties instead.
             */
            interface IScopeReport extends hawser.tunnel.v1.ScopeReport.$Properties {
            }

            /** Represents a ScopeReport. */
            class ScopeReport {

                /**
                 * Constructs a new ScopeReport.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.ScopeReport.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ScopeReport scope. */
                scope: number;

                /** ScopeReport body. */
                body: Uint8Array;

                /**
                 * Encodes the specified ScopeReport message. Does not implicitly {@link hawser.tunnel.v1.ScopeReport.verify|verify} messages.
                 * @param message ScopeReport message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.ScopeReport.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ScopeReport message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ScopeReport & hawser.tunnel.v1.ScopeReport.$Shape} ScopeReport
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.ScopeReport & hawser.tunnel.v1.ScopeReport.$Shape;
            }

            namespace ScopeReport {

                /** Properties of a ScopeReport. */
                interface $Properties {

                    /** ScopeReport scope */
                    scope?: (number|null);

                    /** ScopeReport body */
                    body?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ScopeReport. */
                type $Shape = hawser.tunnel.v1.ScopeReport.$Properties;
            }

            /**
             * Properties of a ReportRequest.
             * @deprecated Use hawser.tunnel.v1.ReportRequest.$Properties instead.
             */
            interface IReportRequest extends hawser.tunnel.v1.ReportRequest.$Properties {
            }

            /** Represents a ReportRequest. */
            class ReportRequest {

                /**
                 * Constructs a new ReportRequest.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.ReportRequest.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ReportRequest kinds. */
                kinds: string[];

                /**
                 * Encodes the specified ReportRequest message. Does not implicitly {@link hawser.tunnel.v1.ReportRequest.verify|verify} messages.
                 * @param message ReportRequest message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.ReportRequest.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ReportRequest message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ReportRequest & hawser.tunnel.v1.ReportRequest.$Shape} ReportRequest
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.ReportRequest & hawser.tunnel.v1.ReportRequest.$Shape;
            }

            namespace ReportRequest {

                /** Properties of a ReportRequest. */
                interface $Properties {

                    /** ReportRequest kinds */
                    kinds?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ReportRequest. */
                type $Shape = hawser.tunnel.v1.ReportRequest.$Properties;
            }

            /**
             * Properties of a SessionError.
             * @deprecated Use hawser.tunnel.v1.SessionError.$Properties instead.
             */
            interface ISessionError extends hawser.tunnel.v1.SessionError.$Properties {
            }

            /** Represents a SessionError. */
            class SessionError {

                /**
                 * Constructs a new SessionError.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.SessionError.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** SessionError code. */
                code: string;

                /** SessionError message. */
                message: string;

                /** SessionError scope. */
                scope: number;

                /**
                 * Encodes the specified SessionError message. Does not implicitly {@link hawser.tunnel.v1.SessionError.verify|verify} messages.
                 * @param message SessionError message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.SessionError.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a SessionError message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.SessionError & hawser.tunnel.v1.SessionError.$Shape} SessionError
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.SessionError & hawser.tunnel.v1.SessionError.$Shape;
            }

            namespace SessionError {

                /** Properties of a SessionError. */
                interface $Properties {

                    /** SessionError code */
                    code?: (string|null);

                    /** SessionError message */
                    message?: (string|null);

                    /** SessionError scope */
                    scope?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a SessionError. */
                type $Shape = hawser.tunnel.v1.SessionError.$Properties;
            }

            /**
             * Properties of a Frame.
             * @deprecated Use hawser.tunnel.v1.Frame.$Properties instead.
             */
            interface IFrame extends hawser.tunnel.v1.Frame.$Properties {
            }

            /** Represents a Frame. */
            class Frame {

                /**
                 * Constructs a new Frame.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.Frame.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Frame hello. */
                hello?: (hawser.tunnel.v1.Hello.$Properties|null);

                /** Frame welcome. */
                welcome?: (hawser.tunnel.v1.Welcome.$Properties|null);

                /** Frame reject. */
                reject?: (hawser.tunnel.v1.Reject.$Properties|null);

                /** Frame bulkRequest. */
                bulkRequest?: (hawser.tunnel.v1.BulkRequest.$Properties|null);

                /** Frame bulkRelease. */
                bulkRelease?: (hawser.tunnel.v1.BulkRelease.$Properties|null);

                /** Frame subscribe. */
                subscribe?: (hawser.tunnel.v1.Subscribe.$Properties|null);

                /** Frame unsubscribe. */
                unsubscribe?: (hawser.tunnel.v1.Unsubscribe.$Properties|null);

                /** Frame delta. */
                delta?: (hawser.tunnel.v1.Delta.$Properties|null);

                /** Frame deltaAck. */
                deltaAck?: (hawser.tunnel.v1.DeltaAck.$Properties|null);

                /** Frame upstream. */
                upstream?: (hawser.tunnel.v1.Upstream.$Properties|null);

                /** Frame upstreamAck. */
                upstreamAck?: (hawser.tunnel.v1.UpstreamAck.$Properties|null);

                /** Frame error. */
                error?: (hawser.tunnel.v1.SessionError.$Properties|null);

                /** Frame scopeReport. */
                scopeReport?: (hawser.tunnel.v1.ScopeReport.$Properties|null);

                /** Frame reportRequest. */
                reportRequest?: (hawser.tunnel.v1.ReportRequest.$Properties|null);

                /** Frame ignorable. */
                ignorable: boolean;

                /** Frame body. */
                body?: ("hello"|"welcome"|"reject"|"bulkRequest"|"bulkRelease"|"subscribe"|"unsubscribe"|"delta"|"deltaAck"|"upstream"|"upstreamAck"|"error"|"scopeReport"|"reportRequest");

                /**
                 * Encodes the specified Frame message. Does not implicitly {@link hawser.tunnel.v1.Frame.verify|verify} messages.
                 * @param message Frame message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.Frame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Frame message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.Frame & hawser.tunnel.v1.Frame.$Shape} Frame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.Frame & hawser.tunnel.v1.Frame.$Shape;
            }

            namespace Frame {

                /** Properties of a Frame. */
                interface $Properties {

                    /** Frame hello */
                    hello?: (hawser.tunnel.v1.Hello.$Properties|null);

                    /** Frame welcome */
                    welcome?: (hawser.tunnel.v1.Welcome.$Properties|null);

                    /** Frame reject */
                    reject?: (hawser.tunnel.v1.Reject.$Properties|null);

                    /** Frame bulkRequest */
                    bulkRequest?: (hawser.tunnel.v1.BulkRequest.$Properties|null);

                    /** Frame bulkRelease */
                    bulkRelease?: (hawser.tunnel.v1.BulkRelease.$Properties|null);

                    /** Frame subscribe */
                    subscribe?: (hawser.tunnel.v1.Subscribe.$Properties|null);

                    /** Frame unsubscribe */
                    unsubscribe?: (hawser.tunnel.v1.Unsubscribe.$Properties|null);

                    /** Frame delta */
                    delta?: (hawser.tunnel.v1.Delta.$Properties|null);

                    /** Frame deltaAck */
                    deltaAck?: (hawser.tunnel.v1.DeltaAck.$Properties|null);

                    /** Frame upstream */
                    upstream?: (hawser.tunnel.v1.Upstream.$Properties|null);

                    /** Frame upstreamAck */
                    upstreamAck?: (hawser.tunnel.v1.UpstreamAck.$Properties|null);

                    /** Frame error */
                    error?: (hawser.tunnel.v1.SessionError.$Properties|null);

                    /** Frame scopeReport */
                    scopeReport?: (hawser.tunnel.v1.ScopeReport.$Properties|null);

                    /** Frame reportRequest */
                    reportRequest?: (hawser.tunnel.v1.ReportRequest.$Properties|null);

                    /** Frame ignorable */
                    ignorable?: (boolean|null);

                    /** Frame body */
                    body?: ("hello"|"welcome"|"reject"|"bulkRequest"|"bulkRelease"|"subscribe"|"unsubscribe"|"delta"|"deltaAck"|"upstream"|"upstreamAck"|"error"|"scopeReport"|"reportRequest");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a Frame. */
                type $Shape = {
                  hello?: hawser.tunnel.v1.Hello.$Shape|null;
                  welcome?: hawser.tunnel.v1.Welcome.$Shape|null;
                  reject?: hawser.tunnel.v1.Reject.$Shape|null;
                  bulkRequest?: hawser.tunnel.v1.BulkRequest.$Shape|null;
                  bulkRelease?: hawser.tunnel.v1.BulkRelease.$Shape|null;
                  subscribe?: hawser.tunnel.v1.Subscribe.$Shape|null;
                  unsubscribe?: hawser.tunnel.v1.Unsubscribe.$Shape|null;
                  delta?: hawser.tunnel.v1.Delta.$Shape|null;
                  deltaAck?: hawser.tunnel.v1.DeltaAck.$Shape|null;
                  upstream?: hawser.tunnel.v1.Upstream.$Shape|null;
                  upstreamAck?: hawser.tunnel.v1.UpstreamAck.$Shape|null;
                  error?: hawser.tunnel.v1.SessionError.$Shape|null;
                  scopeReport?: hawser.tunnel.v1.ScopeReport.$Shape|null;
                  reportRequest?: hawser.tunnel.v1.ReportRequest.$Shape|null;
                  ignorable?: boolean|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "hello"; hello: hawser.tunnel.v1.Hello.$Shape; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "welcome"; hello?: null; welcome: hawser.tunnel.v1.Welcome.$Shape; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "reject"; hello?: null; welcome?: null; reject: hawser.tunnel.v1.Reject.$Shape; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "bulkRequest"; hello?: null; welcome?: null; reject?: null; bulkRequest: hawser.tunnel.v1.BulkRequest.$Shape; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "bulkRelease"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease: hawser.tunnel.v1.BulkRelease.$Shape; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "subscribe"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe: hawser.tunnel.v1.Subscribe.$Shape; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "unsubscribe"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe: hawser.tunnel.v1.Unsubscribe.$Shape; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "delta"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta: hawser.tunnel.v1.Delta.$Shape; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "deltaAck"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck: hawser.tunnel.v1.DeltaAck.$Shape; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "upstream"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream: hawser.tunnel.v1.Upstream.$Shape; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "upstreamAck"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck: hawser.tunnel.v1.UpstreamAck.$Shape; error?: null; scopeReport?: null; reportRequest?: null }|{ body?: "error"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error: hawser.tunnel.v1.SessionError.$Shape; scopeReport?: null; reportRequest?: null }|{ body?: "scopeReport"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport: hawser.tunnel.v1.ScopeReport.$Shape; reportRequest?: null }|{ body?: "reportRequest"; hello?: null; welcome?: null; reject?: null; bulkRequest?: null; bulkRelease?: null; subscribe?: null; unsubscribe?: null; delta?: null; deltaAck?: null; upstream?: null; upstreamAck?: null; error?: null; scopeReport?: null; reportRequest: hawser.tunnel.v1.ReportRequest.$Shape })
                );
            }

            /**
             * Properties of a StreamOpen.
             * @deprecated Use hawser.tunnel.v1.StreamOpen.$Properties instead.
             */
            interface IStreamOpen extends hawser.tunnel.v1.StreamOpen.$Properties {
            }

            /** Represents a StreamOpen. */
            class StreamOpen {

                /**
                 * Constructs a new StreamOpen.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.StreamOpen.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** StreamOpen kind. */
                kind: string;

                /**
                 * Encodes the specified StreamOpen message. Does not implicitly {@link hawser.tunnel.v1.StreamOpen.verify|verify} messages.
                 * @param message StreamOpen message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.StreamOpen.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a StreamOpen message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.StreamOpen & hawser.tunnel.v1.StreamOpen.$Shape} StreamOpen
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.StreamOpen & hawser.tunnel.v1.StreamOpen.$Shape;
            }

            namespace StreamOpen {

                /** Properties of a StreamOpen. */
                interface $Properties {

                    /** StreamOpen kind */
                    kind?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a StreamOpen. */
                type $Shape = hawser.tunnel.v1.StreamOpen.$Properties;
            }

            /** CloseCode enum. */
            enum CloseCode {

                /** CLOSE_CODE_UNSPECIFIED value */
                CLOSE_CODE_UNSPECIFIED = 0,

                /** CLOSE_CODE_NORMAL value */
                CLOSE_CODE_NORMAL = 1,

                /** CLOSE_CODE_GOING_AWAY value */
                CLOSE_CODE_GOING_AWAY = 2,

                /** CLOSE_CODE_REPLACED value */
                CLOSE_CODE_REPLACED = 3,

                /** CLOSE_CODE_OVERLOADED value */
                CLOSE_CODE_OVERLOADED = 4,

                /** CLOSE_CODE_PROTOCOL_ERROR value */
                CLOSE_CODE_PROTOCOL_ERROR = 5,

                /** CLOSE_CODE_LIMIT_EXCEEDED value */
                CLOSE_CODE_LIMIT_EXCEEDED = 6,

                /** CLOSE_CODE_UNAUTHORIZED value */
                CLOSE_CODE_UNAUTHORIZED = 7,

                /** CLOSE_CODE_REVOKED value */
                CLOSE_CODE_REVOKED = 8,

                /** CLOSE_CODE_HEARTBEAT_TIMEOUT value */
                CLOSE_CODE_HEARTBEAT_TIMEOUT = 9,

                /** CLOSE_CODE_INCOMPATIBLE value */
                CLOSE_CODE_INCOMPATIBLE = 10,

                /** CLOSE_CODE_HANDSHAKE_TIMEOUT value */
                CLOSE_CODE_HANDSHAKE_TIMEOUT = 11,

                /** CLOSE_CODE_INTERNAL value */
                CLOSE_CODE_INTERNAL = 12
            }

            /**
             * Properties of a CloseNotice.
             * @deprecated Use hawser.tunnel.v1.CloseNotice.$Properties instead.
             */
            interface ICloseNotice extends hawser.tunnel.v1.CloseNotice.$Properties {
            }

            /** Represents a CloseNotice. */
            class CloseNotice {

                /**
                 * Constructs a new CloseNotice.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.CloseNotice.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** CloseNotice code. */
                code: hawser.tunnel.v1.CloseCode;

                /** CloseNotice message. */
                message: string;

                /** CloseNotice retryAfterMs. */
                retryAfterMs: number;

                /**
                 * Encodes the specified CloseNotice message. Does not implicitly {@link hawser.tunnel.v1.CloseNotice.verify|verify} messages.
                 * @param message CloseNotice message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.CloseNotice.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a CloseNotice message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.CloseNotice & hawser.tunnel.v1.CloseNotice.$Shape} CloseNotice
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.CloseNotice & hawser.tunnel.v1.CloseNotice.$Shape;
            }

            namespace CloseNotice {

                /** Properties of a CloseNotice. */
                interface $Properties {

                    /** CloseNotice code */
                    code?: (hawser.tunnel.v1.CloseCode|null);

                    /** CloseNotice message */
                    message?: (string|null);

                    /** CloseNotice retryAfterMs */
                    retryAfterMs?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a CloseNotice. */
                type $Shape = hawser.tunnel.v1.CloseNotice.$Properties;
            }

            /**
             * Properties of a PeerHello.
             * @deprecated Use hawser.tunnel.v1.PeerHello.$Properties instead.
             */
            interface IPeerHello extends hawser.tunnel.v1.PeerHello.$Properties {
            }

            /** Represents a PeerHello. */
            class PeerHello {

                /**
                 * Constructs a new PeerHello.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.PeerHello.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** PeerHello certificates. */
                certificates: Uint8Array[];

                /** PeerHello proof. */
                proof: Uint8Array;

                /**
                 * Encodes the specified PeerHello message. Does not implicitly {@link hawser.tunnel.v1.PeerHello.verify|verify} messages.
                 * @param message PeerHello message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.PeerHello.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PeerHello message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerHello & hawser.tunnel.v1.PeerHello.$Shape} PeerHello
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.PeerHello & hawser.tunnel.v1.PeerHello.$Shape;
            }

            namespace PeerHello {

                /** Properties of a PeerHello. */
                interface $Properties {

                    /** PeerHello certificates */
                    certificates?: (Uint8Array[]|null);

                    /** PeerHello proof */
                    proof?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PeerHello. */
                type $Shape = hawser.tunnel.v1.PeerHello.$Properties;
            }

            /**
             * Properties of a PeerAccepted.
             * @deprecated Use hawser.tunnel.v1.PeerAccepted.$Properties instead.
             */
            interface IPeerAccepted extends hawser.tunnel.v1.PeerAccepted.$Properties {
            }

            /** Represents a PeerAccepted. */
            class PeerAccepted {

                /**
                 * Constructs a new PeerAccepted.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.PeerAccepted.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /**
                 * Encodes the specified PeerAccepted message. Does not implicitly {@link hawser.tunnel.v1.PeerAccepted.verify|verify} messages.
                 * @param message PeerAccepted message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.PeerAccepted.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PeerAccepted message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerAccepted & hawser.tunnel.v1.PeerAccepted.$Shape} PeerAccepted
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.PeerAccepted & hawser.tunnel.v1.PeerAccepted.$Shape;
            }

            namespace PeerAccepted {

                /** Properties of a PeerAccepted. */
                interface $Properties {

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PeerAccepted. */
                type $Shape = hawser.tunnel.v1.PeerAccepted.$Properties;
            }

            /**
             * Properties of a PeerRefused.
             * @deprecated Use hawser.tunnel.v1.PeerRefused.$Properties instead.
             */
            interface IPeerRefused extends hawser.tunnel.v1.PeerRefused.$Properties {
            }

            /** Represents a PeerRefused. */
            class PeerRefused {

                /**
                 * Constructs a new PeerRefused.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.PeerRefused.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** PeerRefused code. */
                code: string;

                /** PeerRefused message. */
                message: string;

                /**
                 * Encodes the specified PeerRefused message. Does not implicitly {@link hawser.tunnel.v1.PeerRefused.verify|verify} messages.
                 * @param message PeerRefused message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.PeerRefused.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a PeerRefused message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.PeerRefused & hawser.tunnel.v1.PeerRefused.$Shape} PeerRefused
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.PeerRefused & hawser.tunnel.v1.PeerRefused.$Shape;
            }

            namespace PeerRefused {

                /** Properties of a PeerRefused. */
                interface $Properties {

                    /** PeerRefused code */
                    code?: (string|null);

                    /** PeerRefused message */
                    message?: (string|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a PeerRefused. */
                type $Shape = hawser.tunnel.v1.PeerRefused.$Properties;
            }

            /**
             * Properties of a ConnectionFrame.
             * @deprecated Use hawser.tunnel.v1.ConnectionFrame.$Properties instead.
             */
            interface IConnectionFrame extends hawser.tunnel.v1.ConnectionFrame.$Properties {
            }

            /** Represents a ConnectionFrame. */
            class ConnectionFrame {

                /**
                 * Constructs a new ConnectionFrame.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.tunnel.v1.ConnectionFrame.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ConnectionFrame hello. */
                hello?: (hawser.tunnel.v1.PeerHello.$Properties|null);

                /** ConnectionFrame accepted. */
                accepted?: (hawser.tunnel.v1.PeerAccepted.$Properties|null);

                /** ConnectionFrame refused. */
                refused?: (hawser.tunnel.v1.PeerRefused.$Properties|null);

                /** ConnectionFrame ping. */
                ping?: (number|null);

                /** ConnectionFrame pong. */
                pong?: (number|null);

                /** ConnectionFrame close. */
                close?: (hawser.tunnel.v1.CloseNotice.$Properties|null);

                /** ConnectionFrame ignorable. */
                ignorable: boolean;

                /** ConnectionFrame body. */
                body?: ("hello"|"accepted"|"refused"|"ping"|"pong"|"close");

                /**
                 * Encodes the specified ConnectionFrame message. Does not implicitly {@link hawser.tunnel.v1.ConnectionFrame.verify|verify} messages.
                 * @param message ConnectionFrame message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.tunnel.v1.ConnectionFrame.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ConnectionFrame message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.tunnel.v1.ConnectionFrame & hawser.tunnel.v1.ConnectionFrame.$Shape} ConnectionFrame
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.tunnel.v1.ConnectionFrame & hawser.tunnel.v1.ConnectionFrame.$Shape;
            }

            namespace ConnectionFrame {

                /** Properties of a ConnectionFrame. */
                interface $Properties {

                    /** ConnectionFrame hello */
                    hello?: (hawser.tunnel.v1.PeerHello.$Properties|null);

                    /** ConnectionFrame accepted */
                    accepted?: (hawser.tunnel.v1.PeerAccepted.$Properties|null);

                    /** ConnectionFrame refused */
                    refused?: (hawser.tunnel.v1.PeerRefused.$Properties|null);

                    /** ConnectionFrame ping */
                    ping?: (number|null);

                    /** ConnectionFrame pong */
                    pong?: (number|null);

                    /** ConnectionFrame close */
                    close?: (hawser.tunnel.v1.CloseNotice.$Properties|null);

                    /** ConnectionFrame ignorable */
                    ignorable?: (boolean|null);

                    /** ConnectionFrame body */
                    body?: ("hello"|"accepted"|"refused"|"ping"|"pong"|"close");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a ConnectionFrame. */
                type $Shape = {
                  hello?: hawser.tunnel.v1.PeerHello.$Shape|null;
                  accepted?: hawser.tunnel.v1.PeerAccepted.$Shape|null;
                  refused?: hawser.tunnel.v1.PeerRefused.$Shape|null;
                  ping?: number|null;
                  pong?: number|null;
                  close?: hawser.tunnel.v1.CloseNotice.$Shape|null;
                  ignorable?: boolean|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; hello?: null; accepted?: null; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "hello"; hello: hawser.tunnel.v1.PeerHello.$Shape; accepted?: null; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "accepted"; hello?: null; accepted: hawser.tunnel.v1.PeerAccepted.$Shape; refused?: null; ping?: null; pong?: null; close?: null }|{ body?: "refused"; hello?: null; accepted?: null; refused: hawser.tunnel.v1.PeerRefused.$Shape; ping?: null; pong?: null; close?: null }|{ body?: "ping"; hello?: null; accepted?: null; refused?: null; ping: number; pong?: null; close?: null }|{ body?: "pong"; hello?: null; accepted?: null; refused?: null; ping?: null; pong: number; close?: null }|{ body?: "close"; hello?: null; accepted?: null; refused?: null; ping?: null; pong?: null; close: hawser.tunnel.v1.CloseNotice.$Shape })
                );
            }
        }
    }

    /** Namespace sync. */
    namespace sync {

        /** Namespace v1. */
        namespace v1 {

            /**
             * Properties of a ScopeState.
             * @deprecated Use hawser.sync.v1.ScopeState.$Properties instead.
             */
            interface IScopeState extends hawser.sync.v1.ScopeState.$Properties {
            }

            /** Represents a ScopeState. */
            class ScopeState {

                /**
                 * Constructs a new ScopeState.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.ScopeState.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ScopeState normalForm. */
                normalForm: number;

                /** ScopeState digest. */
                digest: Uint8Array;

                /** ScopeState count. */
                count: number;

                /** ScopeState stamp. */
                stamp: Uint8Array;

                /**
                 * Encodes the specified ScopeState message. Does not implicitly {@link hawser.sync.v1.ScopeState.verify|verify} messages.
                 * @param message ScopeState message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.ScopeState.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ScopeState message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.ScopeState & hawser.sync.v1.ScopeState.$Shape} ScopeState
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.ScopeState & hawser.sync.v1.ScopeState.$Shape;
            }

            namespace ScopeState {

                /** Properties of a ScopeState. */
                interface $Properties {

                    /** ScopeState normalForm */
                    normalForm?: (number|null);

                    /** ScopeState digest */
                    digest?: (Uint8Array|null);

                    /** ScopeState count */
                    count?: (number|null);

                    /** ScopeState stamp */
                    stamp?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ScopeState. */
                type $Shape = hawser.sync.v1.ScopeState.$Properties;
            }

            /**
             * Properties of a HubMessage.
             * @deprecated Use hawser.sync.v1.HubMessage.$Properties instead.
             */
            interface IHubMessage extends hawser.sync.v1.HubMessage.$Properties {
            }

            /** Represents a HubMessage. */
            class HubMessage {

                /**
                 * Constructs a new HubMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.HubMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** HubMessage inSync. */
                inSync?: (hawser.sync.v1.InSync.$Properties|null);

                /** HubMessage askInventory. */
                askInventory?: (hawser.sync.v1.AskInventory.$Properties|null);

                /** HubMessage batch. */
                batch?: (hawser.sync.v1.Batch.$Properties|null);

                /** HubMessage confirmRemovals. */
                confirmRemovals?: (hawser.sync.v1.ConfirmRemovals.$Properties|null);

                /** HubMessage body. */
                body?: ("inSync"|"askInventory"|"batch"|"confirmRemovals");

                /**
                 * Encodes the specified HubMessage message. Does not implicitly {@link hawser.sync.v1.HubMessage.verify|verify} messages.
                 * @param message HubMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.HubMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a HubMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.HubMessage & hawser.sync.v1.HubMessage.$Shape} HubMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.HubMessage & hawser.sync.v1.HubMessage.$Shape;
            }

            namespace HubMessage {

                /** Properties of a HubMessage. */
                interface $Properties {

                    /** HubMessage inSync */
                    inSync?: (hawser.sync.v1.InSync.$Properties|null);

                    /** HubMessage askInventory */
                    askInventory?: (hawser.sync.v1.AskInventory.$Properties|null);

                    /** HubMessage batch */
                    batch?: (hawser.sync.v1.Batch.$Properties|null);

                    /** HubMessage confirmRemovals */
                    confirmRemovals?: (hawser.sync.v1.ConfirmRemovals.$Properties|null);

                    /** HubMessage body */
                    body?: ("inSync"|"askInventory"|"batch"|"confirmRemovals");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a HubMessage. */
                type $Shape = {
                  inSync?: hawser.sync.v1.InSync.$Shape|null;
                  askInventory?: hawser.sync.v1.AskInventory.$Shape|null;
                  batch?: hawser.sync.v1.Batch.$Shape|null;
                  confirmRemovals?: hawser.sync.v1.ConfirmRemovals.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; inSync?: null; askInventory?: null; batch?: null; confirmRemovals?: null }|{ body?: "inSync"; inSync: hawser.sync.v1.InSync.$Shape; askInventory?: null; batch?: null; confirmRemovals?: null }|{ body?: "askInventory"; inSync?: null; askInventory: hawser.sync.v1.AskInventory.$Shape; batch?: null; confirmRemovals?: null }|{ body?: "batch"; inSync?: null; askInventory?: null; batch: hawser.sync.v1.Batch.$Shape; confirmRemovals?: null }|{ body?: "confirmRemovals"; inSync?: null; askInventory?: null; batch?: null; confirmRemovals: hawser.sync.v1.ConfirmRemovals.$Shape })
                );
            }

            /**
             * Properties of an InSync.
             * @deprecated Use hawser.sync.v1.InSync.$Properties instead.
             */
            interface IInSync extends hawser.sync.v1.InSync.$Properties {
            }

            /** Represents an InSync. */
            class InSync {

                /**
                 * Constructs a new InSync.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.InSync.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** InSync stamp. */
                stamp: Uint8Array;

                /**
                 * Encodes the specified InSync message. Does not implicitly {@link hawser.sync.v1.InSync.verify|verify} messages.
                 * @param message InSync message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.InSync.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an InSync message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.InSync & hawser.sync.v1.InSync.$Shape} InSync
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.InSync & hawser.sync.v1.InSync.$Shape;
            }

            namespace InSync {

                /** Properties of an InSync. */
                interface $Properties {

                    /** InSync stamp */
                    stamp?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an InSync. */
                type $Shape = hawser.sync.v1.InSync.$Properties;
            }

            /**
             * Properties of an AskInventory.
             * @deprecated Use hawser.sync.v1.AskInventory.$Properties instead.
             */
            interface IAskInventory extends hawser.sync.v1.AskInventory.$Properties {
            }

            /** Represents an AskInventory. */
            class AskInventory {

                /**
                 * Constructs a new AskInventory.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.AskInventory.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** AskInventory buckets. */
                buckets: number;

                /** AskInventory wanted. */
                wanted: number[];

                /**
                 * Encodes the specified AskInventory message. Does not implicitly {@link hawser.sync.v1.AskInventory.verify|verify} messages.
                 * @param message AskInventory message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.AskInventory.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an AskInventory message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.AskInventory & hawser.sync.v1.AskInventory.$Shape} AskInventory
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.AskInventory & hawser.sync.v1.AskInventory.$Shape;
            }

            namespace AskInventory {

                /** Properties of an AskInventory. */
                interface $Properties {

                    /** AskInventory buckets */
                    buckets?: (number|null);

                    /** AskInventory wanted */
                    wanted?: (number[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an AskInventory. */
                type $Shape = hawser.sync.v1.AskInventory.$Properties;
            }

            /**
             * Properties of a Batch.
             * @deprecated Use hawser.sync.v1.Batch.$Properties instead.
             */
            interface IBatch extends hawser.sync.v1.Batch.$Properties {
            }

            /** Represents a Batch. */
            class Batch {

                /**
                 * Constructs a new Batch.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.Batch.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Batch changes. */
                changes: hawser.sync.v1.Change.$Properties[];

                /** Batch stamp. */
                stamp: Uint8Array;

                /** Batch normalForm. */
                normalForm: number;

                /** Batch inSync. */
                inSync: boolean;

                /**
                 * Encodes the specified Batch message. Does not implicitly {@link hawser.sync.v1.Batch.verify|verify} messages.
                 * @param message Batch message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.Batch.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Batch message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Batch & hawser.sync.v1.Batch.$Shape} Batch
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.Batch & hawser.sync.v1.Batch.$Shape;
            }

            namespace Batch {

                /** Properties of a Batch. */
                interface $Properties {

                    /** Batch changes */
                    changes?: (hawser.sync.v1.Change.$Properties[]|null);

                    /** Batch stamp */
                    stamp?: (Uint8Array|null);

                    /** Batch normalForm */
                    normalForm?: (number|null);

                    /** Batch inSync */
                    inSync?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Batch. */
                type $Shape = {
                  changes?: hawser.sync.v1.Change.$Shape[]|null;
                  stamp?: Uint8Array|null;
                  normalForm?: number|null;
                  inSync?: boolean|null;
                  $unknowns?: Uint8Array[];
                };
            }

            /**
             * Properties of a Change.
             * @deprecated Use hawser.sync.v1.Change.$Properties instead.
             */
            interface IChange extends hawser.sync.v1.Change.$Properties {
            }

            /** Represents a Change. */
            class Change {

                /**
                 * Constructs a new Change.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.Change.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Change key. */
                key: string;

                /** Change full. */
                full?: (Uint8Array|null);

                /** Change delta. */
                delta?: (Uint8Array|null);

                /** Change removed. */
                removed?: (boolean|null);

                /** Change rehashed. */
                rehashed?: (boolean|null);

                /** Change hash. */
                hash: Uint8Array;

                /** Change base. */
                base: Uint8Array;

                /** Change version. */
                version: string;

                /** Change body. */
                body?: ("full"|"delta"|"removed"|"rehashed");

                /**
                 * Encodes the specified Change message. Does not implicitly {@link hawser.sync.v1.Change.verify|verify} messages.
                 * @param message Change message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.Change.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Change message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Change & hawser.sync.v1.Change.$Shape} Change
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.Change & hawser.sync.v1.Change.$Shape;
            }

            namespace Change {

                /** Properties of a Change. */
                interface $Properties {

                    /** Change key */
                    key?: (string|null);

                    /** Change full */
                    full?: (Uint8Array|null);

                    /** Change delta */
                    delta?: (Uint8Array|null);

                    /** Change removed */
                    removed?: (boolean|null);

                    /** Change rehashed */
                    rehashed?: (boolean|null);

                    /** Change hash */
                    hash?: (Uint8Array|null);

                    /** Change base */
                    base?: (Uint8Array|null);

                    /** Change version */
                    version?: (string|null);

                    /** Change body */
                    body?: ("full"|"delta"|"removed"|"rehashed");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of a Change. */
                type $Shape = {
                  key?: string|null;
                  full?: Uint8Array|null;
                  delta?: Uint8Array|null;
                  removed?: boolean|null;
                  rehashed?: boolean|null;
                  hash?: Uint8Array|null;
                  base?: Uint8Array|null;
                  version?: string|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; full?: null; delta?: null; removed?: null; rehashed?: null }|{ body?: "full"; full: Uint8Array; delta?: null; removed?: null; rehashed?: null }|{ body?: "delta"; full?: null; delta: Uint8Array; removed?: null; rehashed?: null }|{ body?: "removed"; full?: null; delta?: null; removed: boolean; rehashed?: null }|{ body?: "rehashed"; full?: null; delta?: null; removed?: null; rehashed: boolean })
                );
            }

            /**
             * Properties of a ConfirmRemovals.
             * @deprecated Use hawser.sync.v1.ConfirmRemovals.$Properties instead.
             */
            interface IConfirmRemovals extends hawser.sync.v1.ConfirmRemovals.$Properties {
            }

            /** Represents a ConfirmRemovals. */
            class ConfirmRemovals {

                /**
                 * Constructs a new ConfirmRemovals.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.ConfirmRemovals.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** ConfirmRemovals id. */
                id: number;

                /**
                 * Encodes the specified ConfirmRemovals message. Does not implicitly {@link hawser.sync.v1.ConfirmRemovals.verify|verify} messages.
                 * @param message ConfirmRemovals message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.ConfirmRemovals.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a ConfirmRemovals message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.ConfirmRemovals & hawser.sync.v1.ConfirmRemovals.$Shape} ConfirmRemovals
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.ConfirmRemovals & hawser.sync.v1.ConfirmRemovals.$Shape;
            }

            namespace ConfirmRemovals {

                /** Properties of a ConfirmRemovals. */
                interface $Properties {

                    /** ConfirmRemovals id */
                    id?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a ConfirmRemovals. */
                type $Shape = hawser.sync.v1.ConfirmRemovals.$Properties;
            }

            /**
             * Properties of an EdgeMessage.
             * @deprecated Use hawser.sync.v1.EdgeMessage.$Properties instead.
             */
            interface IEdgeMessage extends hawser.sync.v1.EdgeMessage.$Properties {
            }

            /** Represents an EdgeMessage. */
            class EdgeMessage {

                /**
                 * Constructs a new EdgeMessage.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.EdgeMessage.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** EdgeMessage bucketDigests. */
                bucketDigests?: (hawser.sync.v1.BucketDigests.$Properties|null);

                /** EdgeMessage entries. */
                entries?: (hawser.sync.v1.Entries.$Properties|null);

                /** EdgeMessage wantFull. */
                wantFull?: (hawser.sync.v1.WantFull.$Properties|null);

                /** EdgeMessage held. */
                held?: (hawser.sync.v1.Held.$Properties|null);

                /** EdgeMessage body. */
                body?: ("bucketDigests"|"entries"|"wantFull"|"held");

                /**
                 * Encodes the specified EdgeMessage message. Does not implicitly {@link hawser.sync.v1.EdgeMessage.verify|verify} messages.
                 * @param message EdgeMessage message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.EdgeMessage.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an EdgeMessage message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.EdgeMessage & hawser.sync.v1.EdgeMessage.$Shape} EdgeMessage
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.EdgeMessage & hawser.sync.v1.EdgeMessage.$Shape;
            }

            namespace EdgeMessage {

                /** Properties of an EdgeMessage. */
                interface $Properties {

                    /** EdgeMessage bucketDigests */
                    bucketDigests?: (hawser.sync.v1.BucketDigests.$Properties|null);

                    /** EdgeMessage entries */
                    entries?: (hawser.sync.v1.Entries.$Properties|null);

                    /** EdgeMessage wantFull */
                    wantFull?: (hawser.sync.v1.WantFull.$Properties|null);

                    /** EdgeMessage held */
                    held?: (hawser.sync.v1.Held.$Properties|null);

                    /** EdgeMessage body */
                    body?: ("bucketDigests"|"entries"|"wantFull"|"held");

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Narrowed shape of an EdgeMessage. */
                type $Shape = {
                  bucketDigests?: hawser.sync.v1.BucketDigests.$Shape|null;
                  entries?: hawser.sync.v1.Entries.$Shape|null;
                  wantFull?: hawser.sync.v1.WantFull.$Shape|null;
                  held?: hawser.sync.v1.Held.$Shape|null;
                  $unknowns?: Uint8Array[];
                } & (
                  ({ body?: undefined; bucketDigests?: null; entries?: null; wantFull?: null; held?: null }|{ body?: "bucketDigests"; bucketDigests: hawser.sync.v1.BucketDigests.$Shape; entries?: null; wantFull?: null; held?: null }|{ body?: "entries"; bucketDigests?: null; entries: hawser.sync.v1.Entries.$Shape; wantFull?: null; held?: null }|{ body?: "wantFull"; bucketDigests?: null; entries?: null; wantFull: hawser.sync.v1.WantFull.$Shape; held?: null }|{ body?: "held"; bucketDigests?: null; entries?: null; wantFull?: null; held: hawser.sync.v1.Held.$Shape })
                );
            }

            /**
             * Properties of a BucketDigests.
             * @deprecated Use hawser.sync.v1.BucketDigests.$Properties instead.
             */
            interface IBucketDigests extends hawser.sync.v1.BucketDigests.$Properties {
            }

            /** Represents a BucketDigests. */
            class BucketDigests {

                /**
                 * Constructs a new BucketDigests.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.BucketDigests.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** BucketDigests digests. */
                digests: Uint8Array;

                /**
                 * Encodes the specified BucketDigests message. Does not implicitly {@link hawser.sync.v1.BucketDigests.verify|verify} messages.
                 * @param message BucketDigests message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.BucketDigests.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a BucketDigests message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.BucketDigests & hawser.sync.v1.BucketDigests.$Shape} BucketDigests
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.BucketDigests & hawser.sync.v1.BucketDigests.$Shape;
            }

            namespace BucketDigests {

                /** Properties of a BucketDigests. */
                interface $Properties {

                    /** BucketDigests digests */
                    digests?: (Uint8Array|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a BucketDigests. */
                type $Shape = hawser.sync.v1.BucketDigests.$Properties;
            }

            /**
             * Properties of an Entries.
             * @deprecated Use hawser.sync.v1.Entries.$Properties instead.
             */
            interface IEntries extends hawser.sync.v1.Entries.$Properties {
            }

            /** Represents an Entries. */
            class Entries {

                /**
                 * Constructs a new Entries.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.Entries.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Entries packed. */
                packed: Uint8Array;

                /** Entries more. */
                more: boolean;

                /**
                 * Encodes the specified Entries message. Does not implicitly {@link hawser.sync.v1.Entries.verify|verify} messages.
                 * @param message Entries message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.Entries.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes an Entries message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Entries & hawser.sync.v1.Entries.$Shape} Entries
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.Entries & hawser.sync.v1.Entries.$Shape;
            }

            namespace Entries {

                /** Properties of an Entries. */
                interface $Properties {

                    /** Entries packed */
                    packed?: (Uint8Array|null);

                    /** Entries more */
                    more?: (boolean|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of an Entries. */
                type $Shape = hawser.sync.v1.Entries.$Properties;
            }

            /**
             * Properties of a WantFull.
             * @deprecated Use hawser.sync.v1.WantFull.$Properties instead.
             */
            interface IWantFull extends hawser.sync.v1.WantFull.$Properties {
            }

            /** Represents a WantFull. */
            class WantFull {

                /**
                 * Constructs a new WantFull.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.WantFull.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** WantFull keys. */
                keys: string[];

                /**
                 * Encodes the specified WantFull message. Does not implicitly {@link hawser.sync.v1.WantFull.verify|verify} messages.
                 * @param message WantFull message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.WantFull.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a WantFull message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.WantFull & hawser.sync.v1.WantFull.$Shape} WantFull
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.WantFull & hawser.sync.v1.WantFull.$Shape;
            }

            namespace WantFull {

                /** Properties of a WantFull. */
                interface $Properties {

                    /** WantFull keys */
                    keys?: (string[]|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a WantFull. */
                type $Shape = hawser.sync.v1.WantFull.$Properties;
            }

            /**
             * Properties of a Held.
             * @deprecated Use hawser.sync.v1.Held.$Properties instead.
             */
            interface IHeld extends hawser.sync.v1.Held.$Properties {
            }

            /** Represents a Held. */
            class Held {

                /**
                 * Constructs a new Held.
                 * @param [properties] Properties to set
                 */
                constructor(properties?: hawser.sync.v1.Held.$Properties);

                /** Unknown fields preserved while decoding when enabled */
                $unknowns?: Uint8Array[];

                /** Held id. */
                id: number;

                /** Held removals. */
                removals: number;

                /** Held count. */
                count: number;

                /**
                 * Encodes the specified Held message. Does not implicitly {@link hawser.sync.v1.Held.verify|verify} messages.
                 * @param message Held message or plain object to encode
                 * @param [writer] Writer to encode to
                 * @returns Writer
                 */
                static encode(message: hawser.sync.v1.Held.$Properties, writer?: $protobuf.Writer): $protobuf.Writer;

                /**
                 * Decodes a Held message from the specified reader or buffer.
                 * @param reader Reader or buffer to decode from
                 * @param [length] Message length if known beforehand
                 * @returns {hawser.sync.v1.Held & hawser.sync.v1.Held.$Shape} Held
                 * @throws {Error} If the payload is not a reader or valid buffer
                 * @throws {$protobuf.util.ProtocolError} If required fields are missing
                 */
                static decode(reader: ($protobuf.Reader|Uint8Array), length?: number): hawser.sync.v1.Held & hawser.sync.v1.Held.$Shape;
            }

            namespace Held {

                /** Properties of a Held. */
                interface $Properties {

                    /** Held id */
                    id?: (number|null);

                    /** Held removals */
                    removals?: (number|null);

                    /** Held count */
                    count?: (number|null);

                    /** Unknown fields preserved while decoding when enabled */
                    $unknowns?: Uint8Array[];
                }

                /** Shape of a Held. */
                type $Shape = hawser.sync.v1.Held.$Properties;
            }
        }
    }
}
