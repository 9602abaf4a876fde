"use strict";
// A file of its own, so that a strict Content-Security-Policy lets it run. Without it every page still works.

document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-sadadpay-copy]").forEach((button) => {
        const input = button.parentElement.querySelector("input");
        const label = button.textContent;
        button.hidden = false;
        button.addEventListener("click", async () => {
            input.select();
            try {
                await navigator.clipboard.writeText(input.value);
            } catch {
                document.execCommand("copy"); // pages without https have no clipboard API
            }
            button.textContent = button.dataset.copied;
            setTimeout(() => { button.textContent = label; }, 2000);
        });
    });

    // A second click while the first is on its way would only show the same again.
    document.querySelectorAll("form[data-sadadpay-once]").forEach((form) => {
        form.addEventListener("submit", (event) => {
            if (form.dataset.sent) {
                event.preventDefault();
            }
            form.dataset.sent = "yes";
        });
    });

    // Back from the browser's cache the form may be sent again: its key makes that harmless.
    window.addEventListener("pageshow", () => {
        document.querySelectorAll("form[data-sadadpay-once]").forEach((form) => { delete form.dataset.sent; });
    });
});
