// A softphone without a screen: one registration, one call, and what changed told to one listener. JsSIP speaks SIP.
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { UAConfiguration } from "jssip/lib/UA";
import { next } from "./wishes";

export type Registration = "off" | "connecting" | "registered" | "lost" | "failed" | "elsewhere";
export type Talk = "none" | "ringing" | "connecting" | "talking" | "held";

export interface Account {
  username: string;
  secret: string;
  realm: string;
}

export interface Heard {
  registration?: Registration;
  talk?: Talk;
  muted?: boolean;
  stream?: MediaStream | null;
  cause?: string;
  /** A wish waits until the exchange can be reached again. */
  isLate?: boolean;
  /** A call rang here when the exchange was lost. */
  isRingLost?: boolean;
}

const CONFIGURATION: RTCConfiguration = { iceServers: [], bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
const RETRY_MS = 50;
const REFUSED_MS = 2000;
const GATHER_MS = 200;
/** Why JsSIP would end a talk although only a change of it was not delivered, or not agreed to. */
const NO_END: readonly unknown[] = [
  JsSIP.C.causes.CONNECTION_ERROR,
  JsSIP.C.causes.REQUEST_TIMEOUT,
  "Hold Failed",
  "Unhold Failed",
  "Media Renegotiation Failed",
];
const BUSY_HERE = 486;

JsSIP.debug.disable();

export class Softphone {
  private readonly ua: InstanceType<typeof JsSIP.UA>;
  private session: RTCSession | null = null;
  private wishes = { hold: false, end: false };
  private isUnsure = false;
  /** The microphone's copy in the call that is not the one it began with: JsSIP does not know it. */
  private replaced: MediaStreamTrack | null = null;

  constructor(
    url: string,
    account: Account,
    private readonly microphone: () => MediaStream,
    private readonly tell: (heard: Heard) => void,
  ) {
    const configuration: UAConfiguration = {
      sockets: [new JsSIP.WebSocketInterface(url)],
      uri: `sip:${account.username}@${account.realm}`,
      authorization_user: account.username,
      password: account.secret,
      realm: account.realm,
      register_expires: 120,
      session_timers: false,
      connection_recovery_min_interval: 1,
      connection_recovery_max_interval: 4,
      user_agent: "hotline-desk",
    };
    this.ua = new JsSIP.UA(configuration);
    this.ua.on("connecting", () => this.tell({ registration: "connecting" }));
    this.ua.on("registered", () => {
      this.tell({ registration: "registered", isRingLost: false });
      this.settle();
    });
    this.ua.on("unregistered", () => this.tell({ registration: "lost" }));
    this.ua.on("disconnected", () => {
      this.tell({ registration: "lost" });
      // A call that only rings cannot be answered any more: the exchange offers it elsewhere, or here again.
      if (!this.session || this.session.isEstablished()) return;
      this.session.terminate();
      this.tell({ isRingLost: true });
    });
    this.ua.on("registrationFailed", () => this.tell({ registration: "failed" }));
    this.ua.on("newRTCSession", ({ originator, session }: { originator: string; session: RTCSession }) => {
      if (originator !== "remote") return;
      if (this.session) session.terminate({ status_code: BUSY_HERE });
      else this.ring(session);
    });
  }

  start(): void {
    this.ua.start();
  }

  stop(): void {
    this.ua.stop();
    this.tell({ registration: "off", talk: "none", stream: null });
  }

  answer(): void {
    if (!this.session || this.session.isEstablished()) return;
    this.tell({ talk: "connecting" });
    // Only a copy of the microphone goes into the call: the call's end stops it, and the next one needs the original.
    this.session.answer({ mediaStream: this.microphone().clone(), pcConfig: CONFIGURATION });
  }

  /** Without signalling an answered talk is ended as soon as there is some again: until then both hear each other. */
  hangUp(): void {
    if (!this.session || this.session.isEnded()) return;
    if (!this.session.isEstablished()) return this.session.terminate();
    this.wishes.end = true;
    this.settle();
  }

  /** The talk is over, as is known from elsewhere. */
  letGo(): void {
    if (this.session && !this.session.isEnded()) this.session.terminate();
  }

  hold(wanted: boolean): void {
    this.wishes.hold = wanted;
    this.settle();
  }

  /** Do what is wished and can be done. JsSIP does nothing while an earlier change is under way: then it is tried again. */
  private settle(): void {
    const session = this.session;
    if (!session?.isEstablished()) return;
    const deed = next(this.wishes, { isThere: this.ua.isRegistered(), isHeld: session.isOnHold().local, isUnsure: this.isUnsure });
    this.tell({ isLate: deed === "later" });
    if (deed === "none" || deed === "later") return;
    if (deed === "end") return session.terminate();
    const agreed = (): void => void (this.isUnsure = false);
    const isAsked = deed === "hold" ? session.hold({}, agreed) : deed === "unhold" ? session.unhold({}, agreed) : session.renegotiate({}, agreed);
    if (isAsked) this.isUnsure = true;
    else this.settleIn(RETRY_MS, session);
  }

  private settleIn(pause: number, session: RTCSession): void {
    window.setTimeout(() => session === this.session && this.settle(), pause);
  }

  mute(wanted: boolean): void {
    if (wanted) this.session?.mute({ audio: true });
    else this.session?.unmute({ audio: true });
  }

  press(key: string): void {
    this.session?.sendDTMF(key, { duration: 160, interToneGap: 100, transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 });
  }

  /** Send another microphone into the running call; who is muted stays so. */
  async replaceMicrophone(stream: MediaStream): Promise<void> {
    const track = stream.clone().getAudioTracks()[0];
    const sender = this.session?.connection?.getSenders().find((one) => one.track?.kind === "audio");
    const former = sender?.track;
    if (!track || !sender || !former) return track?.stop();
    track.enabled = former.enabled;
    await sender.replaceTrack(track);
    former.stop();
    this.replaced = track;
  }

  private ring(session: RTCSession): void {
    this.session = session;
    this.wishes = { hold: false, end: false };
    this.isUnsure = false;
    this.tell({ talk: "ringing", muted: false, cause: "", isLate: false });
    const terminate = session.terminate.bind(session);
    session.terminate = (options) => {
      if (NO_END.includes(options?.reason_phrase)) this.settleIn(REFUSED_MS, session);
      else terminate(options);
    };
    session.on("peerconnection", ({ peerconnection }: { peerconnection: RTCPeerConnection }) => this.wire(peerconnection));
    if (session.connection) this.wire(session.connection);
    // The first address of this machine is enough where the exchange can be reached directly; the others cost time.
    let timer = 0;
    session.on("icecandidate", ({ candidate, ready }: { candidate: RTCIceCandidate; ready: () => void }) => {
      window.clearTimeout(timer);
      if (candidate.protocol === "udp" && candidate.type === "host") ready();
      else timer = window.setTimeout(ready, GATHER_MS);
    });
    session.on("confirmed", () => this.tell({ talk: "talking" }));
    session.on("hold", ({ originator }: { originator: string }) => originator === "local" && this.tell({ talk: "held" }));
    session.on("unhold", ({ originator }: { originator: string }) => originator === "local" && this.tell({ talk: "talking" }));
    session.on("muted", () => this.tell({ muted: true }));
    session.on("unmuted", () => this.tell({ muted: false }));
    const over = ({ cause }: { cause?: string }): void => {
      if (this.session !== session) return;
      this.session = null;
      this.replaced?.stop();
      this.tell({ talk: "none", muted: false, stream: null, cause: cause ?? "", isLate: false });
    };
    session.on("ended", over);
    session.on("failed", over);
  }

  private wire(connection: RTCPeerConnection): void {
    // The far side's track goes on hold and comes again afterwards.
    connection.addEventListener("track", (event) => this.tell({ stream: event.streams[0] ?? new MediaStream([event.track]) }));
  }
}
