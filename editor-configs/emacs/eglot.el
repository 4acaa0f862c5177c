;;; eglot.el --- llm-lsp in eglot's completion menu -*- lexical-binding: t -*-

;; eglot has one server for a buffer: this takes the place of the language's own, and shows a menu, no ghost
;; text.  Where you want both, use llm-lsp.el instead.
;; In init.el; name the modes that you want it for.

(with-eval-after-load 'eglot
  (add-to-list 'eglot-server-programs '((text-mode markdown-mode) . ("llm-lsp" "server")))
  ;; eglot inserts several lines as they are, and does not say so: without this you get the first line only.
  (cl-defmethod eglot-client-capabilities :around (_server)
    (let* ((all (cl-call-next-method))
           (completion (plist-get (plist-get all :textDocument) :completion)))
      (plist-put (plist-get completion :completionItem) :insertTextModeSupport '(:valueSet [1]))
      all)))

;; What stands here wins over config.toml; every key: docs/settings.md.
;; (setq-default eglot-workspace-configuration '(:llm-lsp (:completion (:menu_timeout_ms 300))))
