import type { VNode } from "preact";

import type { Certificates as Model } from "../certificates";
import { Badge, Chart, Fold, Lines, Section, Table, Time } from "../parts";

const WORDS = { ok: "valid", warning: "renew it", error: "not valid now" } as const;

/** Certificates on a time line, and as a table. */
export function Certificates(props: { readonly certificates: Model; readonly timeline?: string }): VNode {
  const { rows, unreadable, withSecrets } = props.certificates;
  return (
    <Section id="certificates" title="Certificates">
      {!withSecrets && (
        <p>Secrets were not read: the issuer and the certificates of webhooks and tap are left out.</p>
      )}
      {props.timeline === undefined ? (
        <p>The cluster has no certificate that could be read.</p>
      ) : (
        <>
          <p>
            A bar is the validity of a certificate, the diamond the time of its renewal: cert-manager's, or
            the time from which npm run verify warns. The scale is logarithmic on both sides of now, so that
            hours and years are seen together.
          </p>
          <Chart svg={props.timeline} label="Time line of the certificates; the table below has the same" />
          <Table
            caption="Certificates"
            columns={["Certificate", "State", "Valid from", "Renewal", "Valid until", "Left"]}
            rows={rows.map(({ label, result, notBefore, renewal, isRenewed, notAfter, left }) => [
              label,
              <Badge result={result} word={WORDS[result]} />,
              <Time time={notBefore} />,
              <>
                <Time time={renewal} />
                {isRenewed && " (cert-manager)"}
              </>,
              <Time time={notAfter} />,
              left,
            ])}
            open
          />
          <Fold summary="Who signed whom">
            <Table
              caption="Who signed whom"
              columns={["Certificate", "Subject", "Signed by", "Where it is"]}
              rows={rows.map(({ label, subject, signedBy, places }) => [
                label,
                subject,
                signedBy ?? "nobody here",
                <Lines lines={places} more="more objects" />,
              ])}
              open
            />
          </Fold>
        </>
      )}
      {unreadable.length > 0 && (
        <>
          <h3>Not readable</h3>
          <Lines lines={unreadable} more="more" />
        </>
      )}
    </Section>
  );
}
