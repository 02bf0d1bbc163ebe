import { ADOPTED_OBJECT, FLAG, text } from "../components/rules";
import { list, object, requiredText, value } from "./reading";

const CERTIFICATES = text(
  "must be PEMs of certificates",
  /^\s*(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s*)+$/,
  "<PEM>",
);

/** What the stack takes over of what others have made. */
export const readAdoption = object({
  objects: list(
    "must be a list of objects",
    { path: "", to: ADOPTED_OBJECT.example },
    requiredText(ADOPTED_OBJECT),
  ),
  webhookCas: value(CERTIFICATES),
  destroy: value(FLAG),
});
