;;; lsp-mode.el --- llm-lsp in lsp-mode -*- lexical-binding: t -*-

;; For init.el.  lsp-mode 10 and later draws ghost text itself, and runs llm-lsp beside the language's server.

(with-eval-after-load 'lsp-mode
  (lsp-register-client
   (make-lsp-client :new-connection (lsp-stdio-connection '("llm-lsp" "server"))
                    :activation-fn (lambda (&rest _) t)
                    :add-on? t
                    :server-id 'llm-lsp))
  ;; Settings here override config.toml; every key: docs/settings.md.
  ;; (lsp-register-custom-settings '(("llm-lsp.completion.menu_timeout_ms" 300)))
  (add-hook 'lsp-mode-hook #'lsp-inline-completion-mode))

;; Seconds without a keystroke before a request; llm-lsp debounces by itself.
(setq lsp-inline-completion-idle-delay 0.05)
