// Pulumi's engine passes no options to the Node.js of a policy pack, and the compiler that it has checks types at each start.
require("../typescript.cjs");
require("./pack.ts");
