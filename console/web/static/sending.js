// The form that asks for a downlink.

import { byId, post, problem } from "./page.js";
import { allow, enable } from "./part.js";

// Asks for downlinks to the device whose page is `here`.
export function offerSending(here) {
  byId("send").addEventListener("submit", async (event) => {
    event.preventDefault();
    const wanted = { port: byId("port").valueAsNumber, data: byId("data").value, confirmed: byId("confirmed").checked };
    byId("sent").textContent = "…";
    byId("sent").className = "";
    byId("go").disabled = true; // a second click would send a second downlink
    try {
      const { id } = await post(`${here}/downlinks`, wanted);
      byId("sent").textContent = `Requested as ${id}. What becomes of it appears below.`;
    } catch (error) { // said where whoever clicked looks
      problem("", `${here}/downlinks`);
      byId("sent").textContent = error.message;
      byId("sent").className = "bad";
    }
    enable(byId("go"));
  });
  allow(byId("go"), `${here}/may-send.json`, "Your AWS credentials may not send downlinks to this device.").then((allowed) => {
    byId("go").disabled = !allowed;
  });
}
