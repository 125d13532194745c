// A softphone without a screen: one registration, one call, and what changed told to one listener. JsSIP speaks SIP.
import JsSIP from "jssip";
import type { RTCSession } from "jssip/lib/RTCSession";
import type { UAConfiguration } from "jssip/lib/UA";

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
}

const CONFIGURATION: RTCConfiguration = { iceServers: [], bundlePolicy: "max-bundle", rtcpMuxPolicy: "require" };
const RETRY_MS = 50;
const GATHER_MS = 200;
const BUSY_HERE = 486;

JsSIP.debug.disable();

export class Softphone {
  private readonly ua: InstanceType<typeof JsSIP.UA>;
  private session: RTCSession | null = null;
  private wantsHold = false;

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
      connection_recovery_max_interval: 8,
      user_agent: "hotline-desk",
    };
    this.ua = new JsSIP.UA(configuration);
    this.ua.on("connecting", () => this.tell({ registration: "connecting" }));
    this.ua.on("registered", () => this.tell({ registration: "registered" }));
    this.ua.on("unregistered", () => this.tell({ registration: "lost" }));
    this.ua.on("disconnected", () => this.tell({ registration: "lost" }));
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

  hangUp(): void {
    if (this.session && !this.session.isEnded()) this.session.terminate();
  }

  /** JsSIP does nothing while an earlier change is under way: the wish is kept and tried again. */
  hold(wanted: boolean): void {
    this.wantsHold = wanted;
    const session = this.session;
    const step = (): void => {
      if (!session || session !== this.session || session.isEnded() || this.wantsHold !== wanted) return;
      if (session.isOnHold().local === wanted) return;
      if (!(wanted ? session.hold() : session.unhold())) window.setTimeout(step, RETRY_MS);
    };
    step();
  }

  mute(wanted: boolean): void {
    if (wanted) this.session?.mute({ audio: true });
    else this.session?.unmute({ audio: true });
  }

  press(key: string): void {
    this.session?.sendDTMF(key, { duration: 160, interToneGap: 100, transportType: JsSIP.C.DTMF_TRANSPORT.RFC2833 });
  }

  /** Send another microphone into the running call. */
  async replaceMicrophone(stream: MediaStream): Promise<void> {
    const track = stream.clone().getAudioTracks()[0];
    const sender = this.session?.connection?.getSenders().find((one) => one.track?.kind === "audio");
    if (track && sender) await sender.replaceTrack(track);
  }

  private ring(session: RTCSession): void {
    this.session = session;
    this.wantsHold = false;
    this.tell({ talk: "ringing", muted: false, cause: "" });
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
      this.tell({ talk: "none", muted: false, stream: null, cause: cause ?? "" });
    };
    session.on("ended", over);
    session.on("failed", over);
  }

  private wire(connection: RTCPeerConnection): void {
    // The far side's track goes on hold and comes again afterwards.
    connection.addEventListener("track", (event) => this.tell({ stream: event.streams[0] ?? new MediaStream([event.track]) }));
  }
}
